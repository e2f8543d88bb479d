// SPDX-License-Identifier: MIT
// What a thread in futex() waits for. The kernel knows an address and nothing else: which primitive
// lies there is told by the names of the innermost functions, by the futex operation, and by
// whether the memory looks like it, in that order. What is not certain stays "futex".
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wait/wait.h"

struct lock {
    uint64_t futex;          // the address waited at; 0: the thread is in no futex call
    enum wait_kind kind;     // WAIT_FUTEX: nothing else is certain
    const char *object_kind; // as in struct wait
    uint64_t object;         // where the primitive begins
    uint32_t owner;          // inner tid as it says; 0: nobody, or it does not say
    bool owner_died;         // a robust mutex says so
    bool shared;             // between processes, so the owner may be another one
    uint32_t readers;        // that hold a rwlock
    uint32_t missing;        // barrier: how many threads have not come yet; 0: not known
    uint64_t scanned;        // address that a holder would have on its stack; 0: do not look
};

struct finder;

// Fills in the lock of a thread that waits in futex, futex_wait or futex_waitv (`call_name`).
void lock_find(const struct finder *finder, const struct wait_thread *thread, const char *call_name,
               struct lock *lock);
