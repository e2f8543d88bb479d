// SPDX-License-Identifier: MIT
// Books of an allocator in this process, as a target of itself: memory at addresses that are always
// the same, so that the words of an input can lead into it.
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heap/allocator.h"

#define BOOKS 0x200000000000ull // 2 MiB, of which the input is the first bytes
#define LEAF 0x201000000000ull
#define HEAP 0x202000000000ull
#define MEMORY_BYTES (2u << 20)
#define INPUT_BYTES (128u << 10)

static inline void require(bool good)
{
    if (!good)
        abort();
}

static inline void *memory_at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static inline void map_memory(uint64_t address)
{
    void *mapped = mmap(memory_at(address), MEMORY_BYTES, PROT_READ | PROT_WRITE,
                        MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(mapped == memory_at(address));
}

static inline void open_own(struct heap_target *target)
{
    bool changed;
    target->pid = target->tid = getpid();
    target->modules = modules_new();
    target->space = space_new(target->modules, target->pid, target->pid);
    require(heap_view_open(&target->view, target->pid, false, NULL) == RC_OK &&
            space_refresh(target->space, target->pid, &changed) == RC_OK &&
            heap_target_refresh(target) == RC_OK);
}

static inline void take_input(const uint8_t *bytes, size_t length)
{
    memset(memory_at(BOOKS), 0, INPUT_BYTES);
    if (length)
        memcpy(memory_at(BOOKS), bytes, length < INPUT_BYTES ? length : INPUT_BYTES);
}

// No block may lie, and nothing be said to lie, anywhere but in mappings.
static inline bool check_block(void *context, const struct block *block)
{
    static volatile unsigned char sink;
    const struct heap_target *target = context;
    require(block->usable && heap_target_region(target, block->address));
    require(block->have <= block->usable && block->have <= BLOCK_HEAD);
    for (size_t i = 0; i < block->have; i++)
        sink ^= block->bytes[i];
    return true;
}

static inline void walk_books(const struct allocator *allocator, void *books,
                              struct heap_target *target)
{
    struct walk_quality quality = {0};
    struct heap_figures figures = {0};
    heap_view_forget(&target->view);
    allocator->count(books, &figures);
    allocator->walk(books, &(struct block_visitor){.context = target, .visit = check_block},
                    &quality);
    require(quality.walked < 1ull << 48);
}
