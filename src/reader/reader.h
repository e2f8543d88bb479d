// SPDX-License-Identifier: MIT
// A process that parses bytes of others and has no rights: how it is started and ended, and how it
// drops the rights that it does not need. It is sent its work over a channel (channel.h).
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "reader/sandbox.h"

struct reader_process { // zeroed: not started
    _Atomic pid_t pid; // 0: none
    int channel;
};

struct reader_service { // what runs in the process
    void (*serve)(int channel); // called without rights, unless it drops them itself
    void (*begin)(void);        // sets its priority; NULL: that of the thread that starts it
};

// Starts the process, unless it runs already. Returns RC_LIMIT when it could not be started. A
// message to it fails when it cannot be sent within patience_ms.
enum rc reader_start(struct reader_process *reader, const struct reader_service *service,
                     int patience_ms) MUST_CHECK;

// Waits for a message from the process of at most `most` bytes, until `deadline` (CLOCK_MONOTONIC
// ns) or patience ends (base/patience.h). Returns its length; 0 when none comes.
size_t reader_hear(const struct reader_process *reader, void *message, size_t most,
                   int64_t deadline);

// Ends the process. One that waits for a file server that does not answer is left to end by itself.
void reader_end(struct reader_process *reader);

// Drops, in the process, rights, descriptors, memory that is shared, and precedence when memory
// runs out. Exits when they cannot be dropped. `needs->files` is set here.
void reader_give_up_rights(struct sandbox_needs needs);
