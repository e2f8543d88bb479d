// SPDX-License-Identifier: MIT
// All that a process has mapped, data included (module.h knows code only).
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "process/procfs.h"

struct regions {
    struct buf text;       // of maps: the paths lie in it
    struct proc_map *list; // ascending
    size_t count, capacity;
};

// Replaces what `regions` holds (zeroed before its first use). tid: any thread of the process.
enum rc regions_read(struct regions *regions, pid_t pid, pid_t tid) MUST_CHECK;
void regions_fini(struct regions *regions);

// The mapping that holds the address, or NULL.
const struct proc_map *regions_find(const struct regions *regions, uint64_t address);
