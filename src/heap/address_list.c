// SPDX-License-Identifier: MIT
#include "heap/address_list.h"

#include <stdlib.h>

#include "base/mem.h"

void address_list_fini(struct address_list *addresses)
{
    free(addresses->list);
    *addresses = (struct address_list){0};
}

void address_list_add(struct address_list *addresses, uint64_t address)
{
    if (addresses->count == ADDRESSES_MOST)
        return;
    ARRAY_RESERVE(addresses->list, addresses->count, addresses->capacity);
    addresses->list[addresses->count++] = address;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

void address_list_sort(struct address_list *addresses)
{
    if (addresses->count)
        qsort(addresses->list, addresses->count, sizeof *addresses->list, compare);
}

size_t address_list_from(const struct address_list *addresses, uint64_t address)
{
    size_t low = 0, high = addresses->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (addresses->list[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
