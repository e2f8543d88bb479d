// SPDX-License-Identifier: MIT
// All mappings of a process, including data (module.h covers only code).
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "process/procfs.h"

struct regions {
    struct buf text;       // of maps; the paths point into it
    struct proc_map *list; // ascending by address
    size_t count, capacity;
};

// Replaces the contents of `regions`, which is zeroed before its first use. `tid` may be any thread
// of the process that is alive.
enum rc regions_read(struct regions *regions, pid_t pid, pid_t tid) MUST_CHECK;
void regions_fini(struct regions *regions);

// Returns the mapping that holds the address, or NULL.
const struct proc_map *regions_find(const struct regions *regions, uint64_t address);
