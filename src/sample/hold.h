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
    struct registers regs; // at the stop
    int64_t since;         // CLOCK_MONOTONIC ns: it was not held before, as far as is known
    int64_t stopped_at;    // at the latest: when its registers were read
    int64_t released_at;
    bool released;    // it is not ours any more
    enum rc examined; // RC_OK: `regs` holds; RC_FORMAT: it runs 32-bit code
};

// Tells the watchdog, which ends a sampler that is silent for too long while a thread is or may be
// held.
void hold_sign_of_life(struct sign_of_life *life, pid_t tid);

// Reads the registers of a thread that has stopped and sees to it that its system call will not
// notice. This comes first: whatever comes next may hang until the watchdog ends us. `filtered`: a
// seccomp filter may forbid restart_syscall.
void hold_examine(struct hold *hold, struct control *control, bool filtered);

// Returns whether an examined thread had come off its CPU by `moment` and waited for one until it
// stopped. Its schedstat `before` was read before that moment, `now` while it is held.
bool hold_was_queued(const struct hold *hold, const struct schedstat *before,
                     const struct schedstat *now, int64_t moment);

// Fills in the capture of an examined thread, without its stack if `request` is NULL.
void hold_copy(const struct hold *hold, const struct stack_request *request,
               struct capture *capture);

// Detaches, and counts the stop. How long the thread was held goes into the capture and the
// histogram; NULL: it was one of many at once. A thread that is not `released` then was killed, and
// stops_await will see its end.
void hold_release(struct hold *hold, struct control *control, struct capture *capture);

// Detaches from a thread that has stopped though nobody waits for it any more. Returns false when
// it was killed.
bool hold_undo(const struct tracer_hold *stop, struct control *control, bool filtered);
