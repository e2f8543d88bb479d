// SPDX-License-Identifier: MIT
// Describes a system call in words, with what its arguments say about the wait.
#pragma once

#include "wait/finder.h"

struct call_text {
    struct buf text;     // "epoll_wait on fd 5 (...), no timeout"
    enum wait_kind kind; // what the thread waits for, by the call or by its descriptor
    bool timed;          // the call has a timeout that ends it
};

// `name` is that of the system call, NULL if it is not known. The caller frees the text. For a
// futex call the text is only what follows the name of the lock: ", timeout 5s".
void call_text_make(struct finder *finder, const struct wait_thread *thread, const char *name,
                    struct call_text *call);
