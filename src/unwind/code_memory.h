// SPDX-License-Identifier: MIT
// A cache in front of code_source.read: tables are read a few bytes at a time, mostly beside the
// last ones, and the code of a target does not change until unwinder_flush.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/unwinder.h"

#define CODE_BLOCK 128 // bytes; a page is a multiple of it, so no block straddles two mappings
#define CODE_BLOCKS 512
#define MADE_BLOCK 256

struct debug_frames;

struct code_memory {
    struct code_source source;
    const struct debug_frames *debug_frames; // what lies from DEBUG_FRAME_BASE up
    uint64_t tags[CODE_BLOCKS]; // the block's address + 1; 0: free
    unsigned char blocks[CODE_BLOCKS][CODE_BLOCK];
    uint64_t made_at; // of code that the process made, what was read last, for one walk
    size_t made_length;
    unsigned char made[MADE_BLOCK];
};

void code_memory_flush(struct code_memory *memory);

// Copies [address, address + length) of code or tables; false when it is not all there.
bool code_memory_read(struct code_memory *memory, uint64_t address, void *to, size_t length);

// The same of instructions, which may also be such that the process made.
bool code_memory_fetch(struct code_memory *memory, uint64_t address, void *to, size_t length);

// What the process made may be another code by now.
void code_memory_forget_made(struct code_memory *memory);
