// SPDX-License-Identifier: MIT
// Whom samplers look among: all threads of small processes, so that one which wakes is found at
// once; else those that ran lately, who use most CPU time first. A list does not change: another
// one takes its place.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "process/thread_filter.h"
#include "sample/roster.h"

struct candidates {
    size_t count;
    struct thread *threads[];
};

// Those of the roster that may be sampled, known to the main process; the caller's. threads: only
// these.
struct candidates *candidates_new(const struct roster *roster,
                                  const struct thread_filter *threads);

bool candidates_are_same(const struct candidates *a, const struct candidates *b);
