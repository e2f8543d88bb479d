// SPDX-License-Identifier: MIT
// Whose samples those of a plain profile are, and what the thread did meanwhile: what label sets
// say, looked at once.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/plain.h"
#include "profile/store.h"

struct plain_thread {
    pid_t pid, tid;  // labels of these names; 0: none, or an entry of our own
    uint32_t name;   // text of the label "thread"
    int64_t held_ns; // that it was held; 0: nothing is known of it
};

struct plain_threads {
    struct plain_thread *list; // owned; in the order of their first samples
    size_t count, capacity;
    uint32_t *of;              // [label set of a sample]: its thread; owned
    enum profile_state *states; // [label set of a sample]: of the label "state"; STATE_CPU: it has
                                // none. Owned
};

void plain_threads_init(struct plain_threads *threads, const struct plain_profile *profile);
void plain_threads_fini(struct plain_threads *threads);
