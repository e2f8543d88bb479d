// SPDX-License-Identifier: MIT
// A system call in words, with what its arguments say about the wait.
#pragma once

#include "wait/finder.h"

struct call_text {
    struct buf text;     // "epoll_wait on fd 5 (...), no timeout"
    enum wait_kind kind; // of the form, or of the descriptor
    bool timed;          // it ends by itself
};

// `name`: of the system call, NULL: not known. The text is the caller's to free; of futex it is
// only what follows the name of the lock: ", timeout 5s".
void call_text_make(struct finder *finder, const struct wait_thread *thread, const char *name,
                    struct call_text *call);
