// SPDX-License-Identifier: MIT
// For how long threads were held, however a hold ended: told with each capture, once a second with
// the rest, and by the watchdog of a sampler that has not lived to tell it.
#pragma once

#include <stdint.h>

#include "profile/store.h"
#include "sample/capture.h"

struct thread_holds { // zeroed: it was never held
    uint64_t ns;
    int64_t since;      // the first time, CLOCK_MONOTONIC ns; 0: not yet
    uint64_t before;    // ns, as of the last holds_since_last
    int64_t unreported; // of ns, what its sampler has not reported yet
};

struct holds { // zeroed, but for the profile
    struct profile *profile;
    int64_t first_at; // the first capture, CLOCK_MONOTONIC ns; 0: none yet
    double share;     // of the most-held thread's time, 0..1
};

// A capture counts at once: should its sampler die, it reports nothing more. profile_thread: whose.
void holds_add_capture(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                       const struct capture *capture);

// All of the thread's holds since its sampler's last report, those with captures included.
void holds_add_report(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                      int64_t ns);

// The last hold of a sampler that died.
void holds_add_last(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                    int64_t lasted);

// The sampler has died: the next one reports only of its own.
void holds_leave(struct thread_holds *held);

// Once more at the end of the run: the share of a thread that was reported long ago is less by now.
void holds_note_share(struct holds *holds, const struct thread_holds *held);

// What the thread was held since the last call, ns.
int64_t holds_since_last(struct thread_holds *held);
