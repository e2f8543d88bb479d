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
    uint64_t sp;        // of the thread
};

#define TID_LIMIT (1u << 22) // the kernel's PID_MAX_LIMIT
#define USERS_MAX (1u << 22) // more threads than that do not wait
#define FRAME_MAX 1024u      // bytes of stack that the C library uses in a wait

bool layout_is_pi(const struct futex_call *call); // FUTEX_LOCK_PI

// "priority-inheriting robust recursive mutex"; type: 0 normal, 1 recursive, 2 error-checking,
// 3 adaptive.
const char *layout_mutex_kind(bool inherits, bool robust, unsigned type);

// lock->futex is set before; the readers fill in the rest, or leave it as it was and say false.
typedef bool layout_reader(const struct finder *finder, const struct futex_call *call,
                           struct lock *lock);
layout_reader layout_glibc_mutex, layout_glibc_rwlock, layout_glibc_condition,
    layout_glibc_semaphore, layout_glibc_barrier, layout_glibc_join, layout_glibc_stream;
layout_reader layout_musl_mutex, layout_musl_rwlock, layout_musl_condition, layout_musl_semaphore,
    layout_musl_join, layout_musl_stream;
