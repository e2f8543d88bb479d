// SPDX-License-Identifier: MIT
#include "symbol/syscall_name.h"

#include <stddef.h>

#include "base/mem.h"

// Lines such as [0] = "read", made from <sys/syscall.h> by the Makefile.
static const char *const names[] = {
#include "syscall_names.inc"
};

const char *syscall_name(long number)
{
    return number >= 0 && (size_t)number < ARRAY_LENGTH(names) ? names[number] : NULL;
}
