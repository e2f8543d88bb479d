// SPDX-License-Identifier: MIT
// A small frozen profile for the tests of totals and writers. Its functions are entries of our own
// (MODULE_SPECIAL), which the real symbolizer gives the name that they were made with.
#pragma once

#include <stdint.h>

#include "output/report.h"

struct fixture {
    struct modules *modules;
    struct symbolizer *symbolizer;
    struct profile *profile;
    struct run_process processes[2];
    struct run run;
    struct report report;
};

// A run of two processes whose store has the given bound and is empty.
void fixture_init(struct fixture *fixture, size_t max_nodes);
void fixture_fini(struct fixture *fixture);

// Adds samples of a stack: names from the root to the leaf, with '|' between them.
void fixture_add(struct fixture *fixture, uint32_t thread, const char *stack, uint64_t samples,
                 uint64_t cpu_ns);

// The frozen profile: four threads of two processes, recursion, hostile names, CPU time without
// samples. The expected files in tests/golden/ hold what is made of it.
void fixture_fill(struct fixture *fixture);

// The same as a run of wall time: beside the CPU time, one of its threads also waited for a CPU and
// slept, and so did one that never ran.
void fixture_fill_wall(struct fixture *fixture);

// What a format makes of it; NUL-terminated, *length (may be NULL) without the NUL. The caller
// frees it.
char *fixture_write(const struct fixture *fixture, const char *format, size_t *length);

// Fails the test unless the file below tests/golden/ holds exactly this text. With UPDATE=1 in the
// environment it is written instead.
void fixture_golden(const char *name, const char *text);
