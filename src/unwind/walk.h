// SPDX-License-Identifier: MIT
// This is the state of a walk, private to the files of the unwinder.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libunwind.h>

#include "unwind/code_memory.h"
#include "unwind/debug_frame.h"
#include "unwind/fde_index.h"
#include "unwind/memo.h"
#include "unwind/stack_copy.h"
#include "unwind/unwinder.h"
#include "unwind/way_back.h"

#define WORD 8u
#define WORK_MAX (4u << 20)  // reads of memory for one stack, about 50 ms; 4096 frames of which
                             // nothing is cached need a quarter

#define ENTRIES 64

struct entry_found { // how the caller of code that never returns was found, see entry_path.h
    uint64_t pc, back, size; // size: bytes from the stack pointer up to the return address
};

struct unwinder {
    size_t max_depth;
    unw_addr_space_t space;
    struct code_memory code;
    struct fde_index index;
    struct debug_frames debug_frames;
    struct memo memo;
    struct ways ways;
    struct entry_found entries[ENTRIES]; // by pc

    // Of the present walk:
    const struct capture *capture;
    struct unwind_result result; // so far; owns its frames
    size_t capacity;             // of the frames
    uint64_t registers[REGISTERS];
    uint32_t known;        // bit n: registers[n] is known
    uint32_t unnoted;      // bit n: the read of registers[n] has not been noted in `memo`
    bool aside;            // the present read is for such a register
    struct stack_use use;
    uint64_t missed;       // address whose read failed in this step; 0: none
    uint64_t work;         // reads so far, at most WORK_MAX
    uint64_t entry;        // what libunwind reads at ENTRY_ADDRESS
    struct {
        uint64_t sp; // of the function
        uint64_t at; // address of its copy in the signal frame; 0: no handler yet
    } interrupted; // by the last signal handler
    unsigned switches;     // steps to another stack so far
    bool in_tables;        // libunwind is reading a CIE and an FDE that have been checked
    bool no_info;          // the pc of this step has no unwind information
    enum unwind_end fault; // why a read failed in this step; UNWIND_BOTTOM: none did
};

static inline uint64_t *walk_sp(struct unwinder *unwinder)
{
    return &unwinder->registers[REGISTER_SP];
}

static inline uint64_t *walk_pc(struct unwinder *unwinder)
{
    return &unwinder->registers[REGISTER_PC];
}

static inline bool walk_knows(const struct unwinder *unwinder, int number)
{
    return unwinder->known >> number & 1;
}

static inline bool walk_is_code(struct unwinder *unwinder, uint64_t pc)
{
    const struct code_source *source = &unwinder->code.source;
    return source->executable(source->context, pc);
}

// Notes why a read failed, and returns false.
bool walk_fault(struct unwinder *unwinder, enum unwind_end why);

// Reads a word of the target's memory at any alignment. Returns false and notes why if it fails.
bool walk_read(struct unwinder *unwinder, uint64_t address, uint64_t *value);
