// SPDX-License-Identifier: MIT
// The code around a return address tells the way back where no tables of its module do: it leads to
// the end of the thread, or the stack pointer came from memory right before the call, so that the
// caller lies on another stack (Go's systemstack, asmcgocall, mcall, morestack).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/code_memory.h"

enum way {
    WAY_PLAIN,    // nothing of it
    WAY_EXITS,    // it goes straight on to the system call that ends the thread: a root
    WAY_SWITCHED, // the stack was changed for the call
};

struct way_back {
    enum way way;
    bool fresh;       // WAY_SWITCHED: the frame pointer was cleared: its frames begin here
    int32_t saved_at; // where the description of a stack has its stack pointer
    int32_t owner_at; // bytes above the stack pointer, where a description was put; -1: nowhere
};

#define WAYS 256

struct ways { // those that were looked at
    uint64_t tags[WAYS]; // pc, 0: none
    struct way_back ways[WAYS];
};

void ways_flush(struct ways *ways);

// Returns what is known of a return address, until it is asked for others.
const struct way_back *way_back(struct ways *ways, struct code_memory *memory, uint64_t pc);

// Returns whether code that nobody has called ends there, or gives up the stack pointer, as what
// makecontext and Boost's make_fcontext put where a coroutine's first function returns to.
bool way_ends(struct code_memory *memory, uint64_t pc);
