// SPDX-License-Identifier: MIT
// What the memory of a process is used for, at one moment: what the kernel counts, its mappings by
// kind and by file, its cgroup, and the books of its allocators. Nothing of it is stopped or
// changed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "heap/allocator.h"
#include "process/mapping_kind.h"
#include "process/memory_group.h"
#include "process/memory_status.h"

struct memory_sizes { // bytes; MEMORY_UNKNOWN
    uint64_t mappings; // count
    uint64_t size, resident, swapped;
    uint64_t no_access;     // of the size, what the process may not touch: guards, reserves
    uint64_t huge;          // of the resident ones, in huge pages
    uint64_t pss, locked;   // only of smaps
};

struct memory_file {
    const char *path; // raw bytes, in the text of the use
    enum mapping_kind kind;
    struct memory_sizes sizes;
};

struct memory_allocator {
    const char *name;
    char version[64]; // "": not known
    struct heap_figures figures;
};

#define MEMORY_ALLOCATORS 16

struct memory_took { // by us, ns
    int64_t mappings;   // CPU time, which does not depend on who else has the CPU meanwhile
    int64_t smaps;      // reading it; 0: it was not read
    int64_t allocators;
};

struct memory_use {
    pid_t pid;
    char comm[COMM_MAX]; // raw bytes
    int64_t time;        // CLOCK_REALTIME ns
    uint64_t image;      // changes when the process executes another program; 0: not known
    struct memory_status status;
    struct memory_group group;
    // Mappings.
    char *mappings_why;       // why nothing of them is known, NULL when it is. Owned, as the rest
    bool denied;              // a permission is missing for them
    const char *resident_why; // why pages could not be counted, NULL when they could
    struct memory_sizes kinds[MAPPING_KIND_COUNT], all;
    enum mapping_kind left_over; // resident and swapped of this kind are what the others leave of
                                 // the process's; MAPPING_KIND_COUNT: each was counted
    struct mapping_stacks stacks;
    struct proc_map *maps;      // ascending; their paths lie in `text`
    struct mapping_use *uses;   // of each of them
    struct memory_sizes *sizes; // of each of them, NULL unless smaps was read
    size_t map_count;
    struct memory_file *files; // the most resident ones first
    size_t file_count;
    struct buf text;
    // Allocators.
    struct memory_allocator allocators[MEMORY_ALLOCATORS];
    size_t allocator_count;
    char *allocators_why; // lines: what was found of allocators that could not be read, or ""
    struct memory_took took;
};

void memory_use_free(struct memory_use *use);

// Adds sizes of one to those of another; what is unknown in either is unknown in the sum.
void memory_sizes_add(struct memory_sizes *sum, const struct memory_sizes *one);

struct memory_look_options {
    bool pss;        // reads smaps in place of the pagemap: pss and locked are known
    bool allocators; // looks for allocators and reads their books
};

struct memory_look; // looks at one process again and again

// Fails with RC_GONE, RC_USAGE (a kernel thread, a thread of another process).
enum rc memory_look_open(pid_t pid, const struct memory_look_options *options,
                         struct memory_look **look, struct err *err) MUST_CHECK;
void memory_look_close(struct memory_look *look);

// Says what there is now. What it lacks because a permission is missing is no error. RC_GONE: the
// process has ended. The caller frees *use.
enum rc memory_look_take(struct memory_look *look, struct memory_use **use,
                         struct err *err) MUST_CHECK;
