// SPDX-License-Identifier: MIT
// Code is followed instruction by instruction, on all its ways. Which of two ways a branch goes
// makes no difference to where a function returns to; but one may end in a call that never returns.
#pragma once

#include "unwind/walk.h"
#include "unwind/x86_64/instruction.h"

#define PATHS_MAX 32
#define TARGETS_MAX 128

struct path { // one way, up to pc
    uint64_t pc, sp;
    uint64_t registers[REGISTERS]; // but the two above
    uint32_t known;                // bit n: registers[n] is known
};

struct paths {
    struct path list[PATHS_MAX]; // to be followed
    size_t count;
    uint64_t targets[TARGETS_MAX]; // of jumps and branches: no way goes there twice
    size_t target_count;
};

// Follows what an instruction does to the stack pointer. Returns false if nobody can tell.
bool path_move_stack(struct path *path, enum stack_effect effect, int64_t distance);

// Jumps. Returns false if a way has gone there before.
bool paths_jump(struct paths *paths, struct path *path, uint64_t target);

// Goes on from behind an instruction, or to where it jumps, and adds the other way of a branch.
// Returns FLOW_NEXT, or how the path ends.
enum flow paths_go(struct paths *paths, struct path *path, const struct instruction *instruction);
