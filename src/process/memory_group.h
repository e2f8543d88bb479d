// SPDX-License-Identifier: MIT
// What the memory cgroup of a process allows it and says of it, version 1 or 2. It is the cgroup's:
// of all processes in it.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "process/memory_status.h"

#define MEMORY_NO_LIMIT (UINT64_MAX - 1)

// name, key, unit, file of version 2 and key in it, file of version 1 and key in it
#define MEMORY_GROUP_FIGURES(X)                                                                    \
    X(USE, "use", "bytes", "memory.current", "", "memory.usage_in_bytes", "")                      \
    X(PEAK, "peak", "bytes", "memory.peak", "", "memory.max_usage_in_bytes", "")                   \
    X(LIMIT, "limit", "bytes", "memory.max", "", "memory.limit_in_bytes", "")                      \
    X(HIGH, "high", "bytes", "memory.high", "", NULL, "")                                          \
    X(SWAP, "swap", "bytes", "memory.swap.current", "", "memory.stat", "swap ")                    \
    X(SWAP_LIMIT, "swap_limit", "bytes", "memory.swap.max", "", NULL, "")                          \
    X(CACHE, "inactive_file", "bytes", "memory.stat", "inactive_file ", "memory.stat",             \
      "inactive_file ")                                                                            \
    X(OVER_HIGH, "high_events", "count", "memory.events", "high ", NULL, "")                       \
    X(AT_LIMIT, "limit_events", "count", "memory.events", "max ", "memory.failcnt", "")            \
    X(OOM, "oom_events", "count", "memory.events", "oom ", NULL, "")                               \
    X(OOM_KILLS, "oom_kills", "count", "memory.events", "oom_kill ", "memory.oom_control",         \
      "oom_kill ")

enum memory_group_figure {
#define X(name, key, unit, file2, key2, file1, key1) MEMORY_GROUP_##name,
    MEMORY_GROUP_FIGURES(X)
#undef X
    MEMORY_GROUP_FIGURE_COUNT
};

struct memory_group_row {
    const char *key, *unit;
    struct {
        const char *file, *key; // file NULL: this version does not say it
    } at[2];                    // of versions 1 and 2
};
extern const struct memory_group_row memory_group_rows[MEMORY_GROUP_FIGURE_COUNT];

struct memory_pressure { // share of the time that tasks waited for memory, percent
    double percent[3]; // in the last 10, 60 and 300 seconds
    uint64_t total_us;
};

struct memory_group {
    char *path;        // as seen from where ptprof runs; NULL: not known. Owned
    int version;       // 1 or 2; 0: there is none
    const char *why;   // why figures are missing, NULL when the files could be read
    uint64_t figures[MEMORY_GROUP_FIGURE_COUNT]; // MEMORY_UNKNOWN, MEMORY_NO_LIMIT
    char *limit_path;  // the cgroup, it or an ancestor, that has the lowest limit; owned or NULL
    uint64_t lowest_limit; // that limit, or MEMORY_NO_LIMIT
    struct memory_pressure some, full; // some of its tasks waited; all of them did
    const char *pressure_why; // why the pressure is not known, or NULL
};

// Reads it; what cannot be read is unknown. `root` stands before "/proc" and "/sys"; only tests
// give one that is not "".
void memory_group_read(struct memory_group *group, const char *root, pid_t pid);
void memory_group_fini(struct memory_group *group);
