// SPDX-License-Identifier: MIT
// A spot is where threads of a process block: a stack, a system call, and what that is about. What
// is waited for there is found once and counts for all waits at the spot. Which lock a futex is
// part of the names of functions say, which come later than the first waits.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/locks.h"
#include "collect/population.h"
#include "process/procfs.h"
#include "profile/store.h"
#include "sample/capture.h"
#include "symbol/symbolizer.h"

struct spot {
    uint32_t process; // number
    uint64_t image;   // number, as in struct process_image
    uint32_t stack;   // node of the profile
    pid_t tid;        // of a thread that was seen there
    char state;       // of stat
    bool sorted;      // it is known what is waited for
    uint32_t lock;    // number + 1 in struct locks; 0: none
    struct proc_syscall call;
    uint64_t delay_ns, contentions; // until it is sorted; of a lock of whose holder nothing can be
                                    // said, all of the run
};

struct spots {
    struct profile *profile; // borrowed
    struct locks locks;
    struct spot *list; // [number of the struct profile_wait - 1]
    size_t count, capacity;
    size_t sorted; // spots before this one are
    struct map index;
};

void spots_init(struct spots *spots, struct profile *profile);
void spots_fini(struct spots *spots);

// Returns the number of the struct profile_wait of the spot at which the captured thread blocks.
uint32_t spots_at(struct spots *spots, const struct process *process, pid_t tid,
                  const struct capture *capture, uint32_t stack);

// Counts what was waited at a spot.
void spots_delay(struct spots *spots, uint32_t wait, uint64_t ns, uint64_t contentions);

// At the end of a run `unseen` takes what was waited for locks of whose holders nothing can be
// said.
void spots_settle_last(struct spots *spots, locks_unseen *unseen, void *context);

// Returns the lock that is waited for at the spot, 0: none, or not known yet.
uint32_t spots_lock(const struct spots *spots, uint32_t wait);

// Returns whether there are spots that are not sorted because their stacks have no names yet.
bool spots_wait_for_names(const struct spots *spots);

// Sorts the spots all of whose stack's locations have numbers below `named`, because those have
// names; nobody else uses the symbolizer meanwhile. Returns whether there were any.
bool spots_sort(struct spots *spots, const struct population *population,
                struct symbolizer *symbolizer, size_t named);

// Replaces the numbers of stacks that compacting the profile has changed.
void spots_renumber(struct spots *spots, const uint32_t *stacks);
