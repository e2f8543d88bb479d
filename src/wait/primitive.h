// SPDX-License-Identifier: MIT
// Which primitive a thread is inside, by the names of its innermost functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wait/wait.h"

enum primitive {
    PRIMITIVE_UNNAMED, // no function has a name: anything is possible
    PRIMITIVE_OTHER,   // named code that is none of those below
    PRIMITIVE_MUTEX,
    PRIMITIVE_READ_LOCK, // of a rwlock
    PRIMITIVE_WRITE_LOCK,
    PRIMITIVE_CONDITION,
    PRIMITIVE_SEMAPHORE,
    PRIMITIVE_BARRIER,
    PRIMITIVE_JOIN,
    PRIMITIVE_ONCE,
    PRIMITIVE_LIBC_LOCK, // of the C library itself: stdio, malloc
    PRIMITIVE_WORD_LOCK, // of another library: the futex word is the lock and names no owner
    PRIMITIVE_FAR_LOCK,  // of another library: the futex is the waiter's own, the lock elsewhere
    PRIMITIVE_FAR_CONDITION,
    PRIMITIVE_PARKED, // a thread without work, in the runtime of a language
    PRIMITIVE_GO,     // one of both, in Go
};

struct primitive_name {
    const char *text;
    enum primitive primitive;
    const char *object_kind; // NULL: as the memory says
};

// Never NULL.
const struct primitive_name *primitive_find(const struct wait_frame *frames, size_t count);
