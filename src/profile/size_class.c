// SPDX-License-Identifier: MIT
#include "profile/size_class.h"

#define EXACT 1024u // bytes: sizes up to here are classes of their own

uint64_t size_class_of(uint64_t size)
{
    if (size <= EXACT)
        return size;
    if (size > 1ull << 62)
        return UINT64_MAX;
    uint64_t step = 1ull << (63 - __builtin_clzll(size - 1)) >> 2;
    return (size + step - 1) & ~(step - 1);
}

uint64_t size_class_below(uint64_t size)
{
    if (size <= EXACT)
        return size ? size - 1 : 0;
    return size - (1ull << (63 - __builtin_clzll(size - 1)) >> 2);
}
