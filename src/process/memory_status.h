// SPDX-License-Identifier: MIT
// What the status text of a process says of its memory, one row for each figure. Everybody may read
// it, and reading it keeps nobody waiting.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define MEMORY_UNKNOWN UINT64_MAX // of any figure of memory

// name, key in status, key in JSON, what it is; bytes
#define MEMORY_STATUS_FIGURES(X)                                                                   \
    X(RSS, "VmRSS:", "rss", "resident")                                                            \
    X(PEAK_RSS, "VmHWM:", "peak_rss", "resident at most so far")                                   \
    X(ANONYMOUS, "RssAnon:", "anonymous", "resident and of no file")                               \
    X(FILE, "RssFile:", "file", "resident and of a file")                                          \
    X(SHARED, "RssShmem:", "shared", "resident and of shared memory")                              \
    X(SWAP, "VmSwap:", "swap", "swapped out, shared memory not counted")                           \
    X(LOCKED, "VmLck:", "locked", "of mappings that are locked")                                   \
    X(PINNED, "VmPin:", "pinned", "that may not be moved")                                         \
    X(HUGETLB, "HugetlbPages:", "hugetlb", "in huge pages of the pool, not in rss")                \
    X(PAGE_TABLES, "VmPTE:", "page_tables", "of the kernel's tables of its pages")                 \
    X(SIZE, "VmSize:", "size", "mapped")                                                           \
    X(PEAK_SIZE, "VmPeak:", "peak_size", "mapped at most so far")                                  \
    X(DATA, "VmData:", "data", "of private mappings that can be written, stack not counted")

enum memory_figure {
#define X(name, field, key, text) MEMORY_##name,
    MEMORY_STATUS_FIGURES(X)
#undef X
    MEMORY_FIGURE_COUNT
};

struct memory_figure_row {
    const char *field, *key, *text;
};
extern const struct memory_figure_row memory_figure_rows[MEMORY_FIGURE_COUNT];

struct memory_status {
    uint64_t bytes[MEMORY_FIGURE_COUNT]; // MEMORY_UNKNOWN: this kernel does not say
    uint64_t threads;
};

// What the text lacks is unknown.
void memory_status_parse(const char *text, struct memory_status *status);

// Reads it of whichever thread still has the memory (a leader that has ended has none) and sets
// *tid to that thread. RC_GONE: no thread has memory.
enum rc memory_status_read(pid_t pid, struct memory_status *status, pid_t *tid) MUST_CHECK;
