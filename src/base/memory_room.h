// SPDX-License-Identifier: MIT
// Other programs may need memory more than ptprof does: how much is free, and which process the
// kernel ends first when none is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Returns the bytes that are free where this process runs: on the machine, and in its memory cgroup
// and the ancestors of that (version 1 or 2). Caches that can be given back count as free.
// UINT64_MAX means that it is not known. `root` stands before "/proc"; only tests give one that is
// not "".
uint64_t memory_room(const char *root);

// Lets the data of this process grow by half of the free memory, but by at least `floor` and at
// most `most` bytes (RLIMIT_DATA). A lower limit that is set already stays. Children inherit it.
void memory_bound(uint64_t floor, uint64_t most);

#define OOM_SCORE_FIRST 1000 // for processes that parse, unwind and name
#define OOM_SCORE_NEXT 500   // for a process whose end only loses the profile

// Raises the score by which the kernel chooses whom to end when memory runs out (oom_score_adj). A
// score that is higher already stays.
void memory_offer(int score);

// Restores the score from before the first memory_offer of this process or of an ancestor.
void memory_offer_end(void);
