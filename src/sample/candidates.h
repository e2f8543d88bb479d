// SPDX-License-Identifier: MIT
// The threads that samplers search: all threads of small processes, so that one which wakes is
// found at once; else those that ran lately, sorted by CPU time. A list never changes, it is
// replaced.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "process/thread_filter.h"
#include "sample/roster.h"

struct candidates {
    size_t count;
    struct thread *threads[];
};

// Returns those of the roster that may be sampled, of which the main process has been told; free()
// is the caller's. threads: only these.
struct candidates *candidates_new(const struct roster *roster,
                                  const struct thread_filter *threads);

bool candidates_are_same(const struct candidates *a, const struct candidates *b);
