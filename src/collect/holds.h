// SPDX-License-Identifier: MIT
// Counts for how long threads were held, however a hold ended: reported with each capture, once a
// second for all other holds, and by the watchdog for a sampler that died before it reported it.
#pragma once

#include <stdint.h>

#include "profile/store.h"
#include "sample/capture.h"

struct thread_holds { // zeroed: the thread was never held
    uint64_t ns;
    int64_t since;      // first hold, CLOCK_MONOTONIC ns; 0: none yet
    uint64_t before;    // ns at the last holds_since_last
    int64_t unreported; // part of ns that its sampler has not reported yet
};

struct holds { // zeroed, except for the profile
    struct profile *profile;
    int64_t first_at; // first capture, CLOCK_MONOTONIC ns; 0: none yet
    double share;     // held part of the most-held thread's time, 0..1
};

// Counts the hold of a capture at once, because a sampler that dies reports nothing more.
// profile_thread is the number of the thread in the profile.
void holds_add_capture(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                       const struct capture *capture);

// Counts all holds of the thread since its sampler's last report. Those of captures are among them.
void holds_add_report(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                      int64_t ns);

// Counts the last hold of a sampler that died.
void holds_add_last(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                    int64_t lasted);

// Notes that the sampler has died: the next one reports only its own holds.
void holds_leave(struct thread_holds *held);

// Computes the share again at the end of the run, because that of a thread that was reported long
// ago has become smaller.
void holds_note_share(struct holds *holds, const struct thread_holds *held);

// Returns for how long the thread was held since the last call, ns.
int64_t holds_since_last(struct thread_holds *held);
