// SPDX-License-Identifier: MIT
// One held thread, whoever holds it: a sampler or a census, for which stops.h asks and waits.
// Between stop and release there are registers, one copy of the stack into memory that exists and
// one read of schedstat: nothing is unwound, named, allocated, opened or written there.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/procfs.h"
#include "sample/control.h"
#include "sample/tracer.h"

struct stop;

struct hold {
    struct tracer_hold stop;
    struct stop *asked; // the request, in its list (stops.h); NULL: nobody made it
    struct registers regs; // as the stop met them
    int64_t since;                // held since then, as far as is known; CLOCK_MONOTONIC ns
    int64_t stopped_at;           // at most: when its registers were read
    int64_t released_at;
    bool released;    // it is not ours any more
    enum rc examined; // RC_OK: `regs` holds; RC_FORMAT: it runs 32-bit code
};

// To be renewed while a thread is or may be held, or the watchdog ends us.
void hold_sign_of_life(struct sign_of_life *life, pid_t tid);

// What is done to a thread as soon as it is seen stopped, for whatever comes next may hang until
// the watchdog ends us: its registers are read, and its system call will not notice. `filtered`:
// a seccomp filter may forbid restart_syscall.
void hold_examine(struct hold *hold, struct control *control, bool filtered);

// Whether an examined thread had come off its CPU by `moment` and waited for one until it stopped.
// Of its schedstat `before` was read before that moment, `now` while it is held.
bool hold_was_queued(const struct hold *hold, const struct schedstat *before,
                     const struct schedstat *now, int64_t moment);

// Fills in the capture of an examined thread. request: NULL: without its stack.
void hold_copy(const struct hold *hold, const struct stack_request *request,
               struct capture *capture);

// Lets it go, and counts that. How long it was held the capture tells, and the histogram; NULL:
// it was one of many at once. Not `released` after that: it was killed, and its end will be seen.
void hold_release(struct hold *hold, struct control *control, struct capture *capture);

// Lets go a thread that nobody waits for any more. False when it was killed.
bool hold_undo(const struct tracer_hold *stop, struct control *control, bool filtered);
