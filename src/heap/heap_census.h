// SPDX-License-Identifier: MIT
// The census: every block in use of every allocator of a process, counted by allocator, arena, what
// it is and its size. The process goes on meanwhile; what is there all the time is counted exactly
// once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/allocator.h"
#include "heap/kinds.h"
#include "process/image.h"
#include "process/procfs.h"

#define HEAP_EXAMPLES 8 // addresses of blocks that a row keeps at most

struct heap_census_row {
    uint32_t allocator; // number in the census
    uint32_t arena;     // as the allocator numbers it
    uint32_t kind;      // number of kinds.h
    uint64_t size;      // largest usable size of its size class, bytes
    uint64_t count;     // blocks
    uint64_t bytes;     // that they take in the allocator's books
    uint64_t examples[HEAP_EXAMPLES]; // addresses, the first ones met
};

struct heap_census_allocator {
    const char *name;
    char version[64]; // "": not known
    struct heap_figures figures;
    bool walked;      // otherwise its blocks cannot be told
    bool by_arena;    // as in struct allocator
    struct walk_quality quality;
};

struct heap_census {
    pid_t pid;
    char comm[COMM_MAX]; // name of the process, raw bytes
    int64_t time;     // CLOCK_REALTIME ns, when it began
    int64_t duration; // ns
    bool complete;    // false: it was interrupted
    struct heap_census_allocator *allocators;
    size_t allocator_count;
    struct heap_census_row *rows; // in the order of first use
    size_t count, capacity;
    uint64_t folded; // blocks that are counted by size only: there were too many rows
    struct heap_view_counts counts; // of what was read
    char *why;        // lines: what was found of allocators whose books were not, or ""
    struct kinds *kinds; // borrowed
    // The program, as its modules have it; NULL: not known. Owned.
    char *program;
    char build_id[2 * BUILD_ID_MAX + 1];
    uint64_t program_start, program_limit, program_offset; // of its code
};

struct heap_census_options {
    // Called often; returns true to end it now. NULL: never.
    bool (*interrupted)(void *context);
    void *context;
};

// Takes a census. Several of one process may share the kinds. Fails with RC_GONE when the process
// ends meanwhile. The caller frees it.
enum rc heap_census_take(struct heap_target *target, struct kinds *kinds,
                         const struct heap_census_options *options, struct heap_census **census,
                         struct err *err) MUST_CHECK;
void heap_census_free(struct heap_census *census);
