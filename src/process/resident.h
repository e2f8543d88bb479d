// SPDX-License-Identifier: MIT
// Which pages of a process are there, told by its pagemap. No page is made or read in by looking,
// and the kernel holds the lock of its mappings for no longer than it takes to look at a few.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "process/procfs.h"

struct resident { // of one mapping, bytes
    uint64_t bytes;   // resident; pages that were only read, the kernel's zeros, do not count
    uint64_t swapped; // 0 for shared memory: only the process itself could tell
    uint64_t huge;    // of the resident ones, in huge pages
};

// Says it of all `count` mappings, which are adjacent in `list` and ascend; those of the kernel
// behind user space have nothing. Fails with RC_GONE when the image has ended, and with RC_LIMIT
// when this kernel cannot say it at once (before Linux 6.7) and the mappings are so large that
// asking page by page would take seconds.
enum rc resident_read(int pagemap, const struct proc_map *list, size_t count,
                      struct resident *residents) MUST_CHECK;

// Does the same page by page, as kernels before Linux 6.7 need it.
enum rc resident_read_pages(int pagemap, const struct proc_map *list, size_t count,
                            struct resident *residents) MUST_CHECK;
