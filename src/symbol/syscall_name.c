// SPDX-License-Identifier: MIT
#include "symbol/syscall_name.h"

#include <stddef.h>

#include "base/mem.h"

// The Makefile makes lines such as [0] = "read", from <sys/syscall.h>.
static const char *const names[] = {
#include "syscall_names.inc"
};

const char *syscall_name(int number)
{
    return number >= 0 && (size_t)number < ARRAY_LENGTH(names) ? names[number] : NULL;
}
