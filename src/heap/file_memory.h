// SPDX-License-Identifier: MIT
// What a process has mapped privately from files: code, constants and variables of its program and
// libraries. Descriptions of types lie there. A page of a file that is not in its memory is read
// from the file, so the process gets no page by it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

#define FILE_MEMORY_BITS (1u << 17) // of the filter

struct file_span {
    uint64_t start, end;
};

struct file_memory { // zeroed, but for the target: nothing is known yet
    struct heap_target *target;
    uint64_t reading;  // of the target's mappings that this was made of
    struct file_span *list; // ascending
    size_t count, capacity;
    uint64_t filter[FILE_MEMORY_BITS / 64]; // by page, numbered modulo its bits
};

void file_memory_fini(struct file_memory *memory);

// Takes over the target's mappings, where they were read anew and this is not current.
void file_memory_refresh(struct file_memory *memory);
static inline bool file_memory_is_current(const struct file_memory *memory)
{
    return memory->reading == memory->target->readings;
}

// Returns whether an address is aligned for a pointer and may lie there: most that do not are found
// out by one look at the filter. For every block.
static inline bool file_memory_may_hold(const struct file_memory *memory, uint64_t address)
{
    uint64_t page = (address >> 12) % FILE_MEMORY_BITS;
    return address % 8 == 0 && memory->filter[page / 64] >> page % 64 & 1;
}

// Copies bytes that lie there; false when they do not, or cannot be had.
bool file_memory_read(const struct file_memory *memory, uint64_t address, void *to, size_t length);

// Copies a NUL-terminated text, at most `size` bytes with its NUL; false when there is none.
bool file_memory_text(const struct file_memory *memory, uint64_t address, char *to, size_t size);
