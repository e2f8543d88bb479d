// SPDX-License-Identifier: MIT
// Who holds a lock can be told of a sample only at its moment: a little later another thread may.
// The main process says which locks threads wait for, and each capture brings along the words that
// name their owners. Which of their pages are there is asked before the thread is held, and all are
// read by one call.
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/capture.h"

struct stack_request;

struct lock_watch {
    _Atomic uint32_t count; // slots from here on are free
    struct lock_slot {
        _Atomic uint32_t process;  // its number
        _Atomic uint64_t owner_at; // address of the word with the owner's tid
    } slots[LOCK_WORDS];
};

struct lock_plan { // zeroed: no word
    struct planned_lock {
        uint32_t process; // number + 1; 0: nothing is to be read
        uint64_t owner_at;
    } list[LOCK_WORDS];
};

// Finds which words of the process's locks can be read without a page having to be made.
void lock_watch_plan(const struct lock_watch *watch, uint32_t process,
                     const struct stack_request *request, struct lock_plan *plan);

// Adds the words of the locks of the thread's process to a capture of which the rest is filled in.
void lock_watch_copy(const struct lock_plan *plan, uint32_t process, pid_t tid,
                     struct capture *capture);
