// SPDX-License-Identifier: MIT
// A moment is a profile at one time, of a process or of a file, as the live views show it. It stays
// as it is while sampling goes on, so a frozen display can still be searched, filtered and sorted.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"
#include "profile/names.h"
#include "profile/plain.h"
#include "profile/plain_threads.h"
#include "profile/slices.h"

struct thread_fact { // a thread that lives, as the kernel describes it
    pid_t pid, tid;
    char comm[COMM_MAX]; // raw
    char state;          // R S D T t Z X I
    int64_t held_ns;     // that we held it, since reset
    char wait[128];      // why it does not run, escaped: "in futex", or as dump-threads says it,
                         // "mutex the_lock, held by 12"; "" when it runs or nothing is known
    pid_t owner;         // the thread that holds the lock it waits for, 0: none is known
};

struct stack_row { // of one thread's stack, leaf first; what it points to lives like the names
    const struct function *function;
    bool inlined;
    const char *file;
    uint32_t line;
    uint64_t offset;
    uint32_t depth;    // in its stack, 0: the leaf
    double share;      // of a leaf: percent of what the thread did, 0: not known
};

struct moment {
    struct plain_profile *profile; // owned
    struct plain_profile *base;    // owned: head of the other one, of two that `profile` has side
                                   // by side (profile/plain_pair.h); NULL: it is one
    struct slices *slices;         // owned: of its samples. NULL: there are no windows but all
    struct plain_threads sampled;  // owned: of its label sets; see moment_list_by
    struct names *names;           // a reference: of its locations
    struct thread_fact *threads; // owned
    size_t thread_count;
    struct stack_row *asleep; // owned: the stack that thread asleep_tid sleeps in, of one that was
    size_t asleep_count;      // asked for
    pid_t asleep_tid;
    int64_t since_reset;     // ns of sampling that the profile stands for
};

// Makes a moment of any profile. It takes over the profile and the slices (NULL: there are none).
struct moment moment_of(struct plain_profile *profile, struct slices *slices);

// Has samples told apart by the label with this key in place of threads; NULL: by threads again.
void moment_list_by(struct moment *moment, const char *key);

// Returns how many values each of two profiles has; 0 of a single one.
size_t moment_pair(const struct moment *moment);

struct moment moment_copy(const struct moment *moment);
void moment_fini(struct moment *moment);
