// SPDX-License-Identifier: MIT
// The memory of the lock primitives of glibc and musl, on 64-bit machines. Each reader says whether
// what lies there can be such a thing; values of the target are believed no further than that.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wait/finder.h"

struct futex_call {
    uint64_t address;
    uint32_t operation; // FUTEX_WAIT, ... without flags
    uint32_t value;     // that the word had when the thread went to sleep
    bool shared;        // between processes
};

// lock->futex is set before; the readers fill in the rest, or leave it as it was and say false.
bool layout_glibc_mutex(const struct finder *finder, const struct futex_call *call,
                        struct lock *lock);
bool layout_musl_mutex(const struct finder *finder, const struct futex_call *call,
                       struct lock *lock);
bool layout_glibc_rwlock(const struct finder *finder, const struct futex_call *call,
                         struct lock *lock);
bool layout_musl_rwlock(const struct finder *finder, const struct futex_call *call,
                        struct lock *lock);
bool layout_glibc_condition(const struct finder *finder, const struct futex_call *call,
                            struct lock *lock);
bool layout_glibc_barrier(const struct finder *finder, const struct futex_call *call,
                          struct lock *lock);
bool layout_glibc_join(const struct finder *finder, const struct futex_call *call,
                       struct lock *lock);
bool layout_musl_join(const struct finder *finder, const struct futex_call *call,
                      struct lock *lock);
bool layout_glibc_stream(const struct finder *finder, const struct futex_call *call,
                         struct lock *lock);
