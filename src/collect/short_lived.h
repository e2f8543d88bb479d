// SPDX-License-Identifier: MIT
// CPU time of short-lived processes that have no sample: many come and go between two looks.
//
// Each moment on a CPU has the same chance to be sampled. A process that ran for c then has no
// sample with a chance of e^-rc and exactly one with r c e^-rc: whatever its length, the time of
// those without is, on average, as many times 1 / r as there are processes with one. So that time
// is shared by the processes with exactly one sample, in equal parts: no program and no function
// gets more of it than it used. (A share by all samples would favour programs that run long, which
// are hardly ever missed, and whose time is known.) Those with a sample keep what the kernel
// charged to them.
//
// The time of a period is told in the next one, and is shared by those that ended in its own: each
// of them gets about as much. If the few that ended just before were to take it, few samples would
// decide what the profile says.
//
// What is known of the missing ones limits whose samples take their time: they are children of the
// same program, in one family. Of a process that was met without being sampled its program is known
// too, and a program that nobody could ever sample keeps its time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/unattributed.h"
#include "collect/weights.h"
#include "profile/store.h"

#define NO_FAMILY UINT32_MAX

struct short_lived { // zeroed: none
    struct family_time *families;
    size_t count, capacity;
};

void short_lived_fini(struct short_lived *short_lived);

// Returns the number of the family of children of a process; comm is its name, raw bytes.
uint32_t short_lived_family(struct short_lived *short_lived, pid_t parent, const char *comm);

// A process of the family has ended: how often it was sampled, the last value that a sample went
// to, and its CPU time, ns, that no sample took.
void short_lived_end(struct short_lived *short_lived, uint32_t family, const char *comm,
                     struct weighed sampled, uint64_t open_ns);

// So much more was used by processes of the family that were never met; below zero: it was less.
void short_lived_unmet(struct short_lived *short_lived, uint32_t family, int64_t ns);

// Shares what can be shared by now (CLOCK_MONOTONIC ns), and returns how much that is, ns. wall:
// the time counts as running time too.
uint64_t short_lived_share(struct short_lived *short_lived, uint32_t family,
                           struct profile *profile, bool wall, int64_t now);

// Does the same for all families, once no more samples come. What nobody can stand for counts as
// unattributed.
uint64_t short_lived_end_all(struct short_lived *short_lived, struct profile *profile, bool wall,
                             struct unattributed *unattributed);

// Replaces the numbers of values that compacting the profile has changed.
void short_lived_renumber(struct short_lived *short_lived, const uint32_t *values);
