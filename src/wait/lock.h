// SPDX-License-Identifier: MIT
// This module finds what a thread in a futex call waits for. The kernel knows only an address.
// Which primitive is there is found by the names of the innermost functions, by the futex
// operation, and by whether the memory looks like that primitive, in this order. What is not
// certain is reported as "futex".
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wait/wait.h"

struct lock {
    uint64_t futex;          // address of the futex word; 0: the thread is in no futex call
    enum wait_kind kind;     // WAIT_FUTEX: only that it is a futex is certain
    const char *object_kind; // as in struct wait
    uint64_t object;         // address of the primitive
    uint32_t owner;          // inner tid in the primitive; 0: nobody, or it has none
    uint64_t owner_at;       // address of the 32-bit word that has it, under FUTEX_TID_MASK; 0: the
                             // primitive has none, or says it in another way
    bool owner_died;         // a robust mutex whose owner has died
    bool shared;             // between processes: the owner may be in another process
    uint32_t readers;        // how many hold a rwlock to read
    uint32_t missing;        // of a barrier: threads that have not arrived; 0: not known
    uint64_t scanned;        // address that a holder would have on its stack; 0: do not scan
};

struct finder;

// Fills in the lock of a thread in the system call `call_name`: futex, futex_wait or futex_waitv.
void lock_find(const struct finder *finder, const struct wait_thread *thread, const char *call_name,
               struct lock *lock);
