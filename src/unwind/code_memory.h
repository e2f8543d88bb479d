// SPDX-License-Identifier: MIT
// This is a cache for code_source.read: unwind tables are read a few bytes at a time, mostly
// adjacent ones. Cached code is taken not to change until unwinder_flush.
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
    const struct debug_frames *debug_frames; // memory at DEBUG_FRAME_BASE and above
    uint64_t tags[CODE_BLOCKS]; // address of the block + 1; 0: free
    unsigned char blocks[CODE_BLOCKS][CODE_BLOCK];
    uint64_t made_at; // address of the JIT-compiled code that was read last in this walk
    size_t made_length;
    unsigned char made[MADE_BLOCK];
};

void code_memory_flush(struct code_memory *memory);

// Copies [address, address + length) of code or tables. Returns false if not all can be read.
bool code_memory_read(struct code_memory *memory, uint64_t address, void *to, size_t length);

// Like code_memory_read, also for JIT-compiled code.
bool code_memory_fetch(struct code_memory *memory, uint64_t address, void *to, size_t length);

// Copies as many of the bytes as can be read and returns their number; the others are 0. made: also
// of JIT-compiled code.
size_t code_memory_most(struct code_memory *memory, uint64_t address, bool made, void *to,
                        size_t length);

// Forgets JIT-compiled code, which may have changed.
void code_memory_forget_made(struct code_memory *memory);
