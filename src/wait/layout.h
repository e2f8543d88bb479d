// SPDX-License-Identifier: MIT
// The memory layout of the lock primitives of glibc and musl, on 64-bit machines. Each reader says
// whether the memory can be such a primitive; values from the target are not trusted beyond that.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wait/finder.h"

struct futex_call {
    uint64_t address;
    uint32_t operation; // FUTEX_WAIT and so on, without flags
    uint32_t value;     // what the word was when the thread went to sleep
    bool shared;        // between processes (no FUTEX_PRIVATE_FLAG)
    uint64_t sp;        // stack pointer of the thread
};

#define TID_LIMIT (1u << 22) // the kernel's PID_MAX_LIMIT
#define USERS_MAX (1u << 22) // a larger count of waiting threads is implausible
#define FRAME_MAX 1024u      // bytes of stack that the C library's wait functions use

bool layout_is_pi(const struct futex_call *call); // FUTEX_LOCK_PI or FUTEX_LOCK_PI2

// Returns "priority-inheriting robust recursive mutex", say. type: 0 normal, 1 recursive, 2
// error-checking, 3 adaptive.
const char *layout_mutex_kind(bool inherits, bool robust, unsigned type);

// The caller sets lock->futex. A reader fills in the rest, or changes nothing and returns false.
typedef bool layout_reader(const struct finder *finder, const struct futex_call *call,
                           struct lock *lock);
layout_reader layout_glibc_mutex, layout_glibc_rwlock, layout_glibc_condition,
    layout_glibc_semaphore, layout_glibc_barrier, layout_glibc_join, layout_glibc_stream;
layout_reader layout_musl_mutex, layout_musl_rwlock, layout_musl_condition, layout_musl_semaphore,
    layout_musl_join, layout_musl_stream;
