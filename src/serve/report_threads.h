// SPDX-License-Identifier: MIT
// Where threads were since the report before: of each, the function that it was found in most often
// on a CPU, and the one that it most often waited in.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "rows/moment.h"

#define REPORT_THREADS 64 // that were found most often
#define REPORT_FUNCTION 64

struct report_thread {
    pid_t tid; // 0: there are no more
    char ran[REPORT_FUNCTION], waited[REPORT_FUNCTION]; // not escaped yet; "": it was not found so
};

// What had been counted at the report before.
struct report_places;

struct report_places *report_places_new(void);
void report_places_free(struct report_places *places);

// Fills in the list. hashes: [node] of the addresses of its stack, which stay when nodes are
// numbered anew.
void report_threads_make(struct report_places *places, const struct moment *moment,
                         const uint64_t *hashes, struct report_thread list[REPORT_THREADS]);
