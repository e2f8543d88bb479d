// SPDX-License-Identifier: MIT
// The system calls by which a program starts threads, as its code shows them: no symbol is needed,
// which a stripped C library does not have.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define THREAD_CALL_BEFORE 48u  // bytes of code before such an instruction that are looked at
#define THREAD_CALL_BEHIND 192u // and behind it

// Returns the offset of the first instruction at `from` or behind it that asks the kernel for a
// thread (clone3 if *newer becomes true, else clone) and whose child goes on to call a function
// that a register names; `length` if there is none. That of fork has no such call, unless one lies
// shortly behind it by chance.
size_t thread_call_find(const unsigned char *code, size_t length, size_t from, bool *newer);
