// SPDX-License-Identifier: MIT
// Memory that others may need more than we do: how much is left, and who goes first when none is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Bytes that are free where this process runs: on the machine, and in its memory cgroup and those
// above it (version 1 or 2), caches that can be given back included. UINT64_MAX: not known. root:
// where /proc is looked for, "" but in tests.
uint64_t memory_room(const char *root);

// Bounds what the data of this process may grow by to half of the room, at least `floor` bytes and
// at most `most`. A bound that it has already is not raised. Children inherit it.
void memory_bound(uint64_t floor, uint64_t most);

#define OOM_SCORE_FIRST 1000 // of what parses, unwinds and names: ended before anybody else
#define OOM_SCORE_NEXT 500   // of what only loses the profile

// Has the kernel end this process sooner than others when memory runs out. A score that is higher
// already stays.
void memory_offer(int score);

// Back to the score from before the first memory_offer of this process or one above it.
void memory_offer_end(void);
