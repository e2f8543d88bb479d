// SPDX-License-Identifier: MIT
// What threads wait for, in one word, for profiles that look at many waits: unlike wait.h it makes
// no text, asks nothing about peers, and reads little.
#pragma once

#include "wait/wait.h"

// How a wait may be one for work, which delays nothing (profile/idle_waits.h decides).
enum wait_idle {
    WAIT_IDLE_NEVER,
    WAIT_IDLE_LOOP,   // if all of the thread's work is done between such waits: an event loop
    WAIT_IDLE_POOL,   // if moreover others wait at the same place, or nobody has woken the thread
    WAIT_IDLE_ALWAYS, // for a connection
};

struct wait_sort {
    enum wait_kind kind;
    const char *label; // "lock", "epoll", "page fault"
    enum wait_idle idle;
    uint64_t object;   // address of the lock, condition ...; 0: none
    char *object_name; // escaped; NULL: it has no symbol. The caller frees it
    uint64_t owner_at; // address of the word with the owner's inner tid, under FUTEX_TID_MASK; 0:
                       // there is none
    uint64_t scanned;  // address that a holder would have on its stack; 0: do not look for it
    uint64_t futex;    // address of a word that is 0 when nobody has what is waited for
};

// Sorts the waits of the threads from `first` on: sorts[i] is of thread first + i. The threads
// before are only those that may own a lock.
void wait_sort(const struct wait_process *process, size_t first, struct wait_sort *sorts);
