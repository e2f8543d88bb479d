// SPDX-License-Identifier: MIT
// The threads of a plain profile and their states, as its label sets name them. Each set is looked
// at once. Samples may be told apart by another label too, as those of a server by its endpoints:
// then what is called a thread here is a value of that label, without ids.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/plain.h"
#include "profile/store.h"

// Labels of samples of what was waited for.
#define PLAIN_SIDE "side" // of a lock
#define PLAIN_HOLDER "holder"
#define PLAIN_WAITER "waiter"
#define PLAIN_IDLE "idle" // a wait for work
#define PLAIN_UNSORTED "not known yet" // text of "wait" until names tell what kind of wait it is

struct plain_thread {
    pid_t pid, tid;  // labels of these names; 0: none, or an entry of our own
    uint32_t name, process; // texts of the labels "thread" and "comm"
    uint32_t labels; // the set of its first sample
    int64_t held_ns; // that it was held; 0: nothing is known of it
};

struct plain_whose { // of samples with one label set
    uint32_t thread;
    enum profile_state state; // of the labels "state" and "side"; STATE_CPU: there is neither
    bool idle;                // the label "idle": waits for work
};

struct plain_threads {
    struct plain_thread *list; // owned; in the order of their first samples
    size_t count, capacity;
    struct plain_whose *of; // [label set of a sample]; owned
    uint32_t key;           // text: the label; 0: that of threads
};

void plain_threads_init(struct plain_threads *threads, const struct plain_profile *profile);

// Tells samples apart by the label with this key. Numbers get texts in the profile.
void plain_threads_by(struct plain_threads *threads, struct plain_profile *profile,
                      const char *key);
void plain_threads_fini(struct plain_threads *threads);
