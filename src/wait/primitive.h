// SPDX-License-Identifier: MIT
// Finds the synchronization primitive that a thread is inside, by its innermost functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wait/wait.h"

enum primitive {
    PRIMITIVE_UNNAMED, // no function has a name: it may be any of those below
    PRIMITIVE_OTHER,   // the names are of other code
    PRIMITIVE_MUTEX,
    PRIMITIVE_READ_LOCK, // rwlock, to read
    PRIMITIVE_WRITE_LOCK,
    PRIMITIVE_CONDITION,
    PRIMITIVE_SEMAPHORE,
    PRIMITIVE_BARRIER,
    PRIMITIVE_JOIN,
    PRIMITIVE_ONCE,
    PRIMITIVE_LIBC_LOCK, // a lock inside the C library: stdio, malloc
    PRIMITIVE_WORD_LOCK, // of another library: the futex word is the lock, without an owner
    PRIMITIVE_FAR_LOCK,  // of another library: the futex is the waiter's, the lock elsewhere
    PRIMITIVE_FAR_CONDITION,
    PRIMITIVE_PARKED, // an idle thread of a language runtime
    PRIMITIVE_GO,     // a lock or an idle thread in Go
};

struct primitive_name {
    const char *text;
    enum primitive primitive;
    const char *object_kind; // NULL: as the memory says
};

// Never returns NULL.
const struct primitive_name *primitive_find(const struct wait_frame *frames, size_t count);
