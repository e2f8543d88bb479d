// SPDX-License-Identifier: MIT
// A segment of mimalloc 2.0 in memory of this process: its table, a page of small blocks, a page
// that is one block, and a heap that the first page belongs to.
#pragma once

#include "tests/fuzz/own_memory.h"

#define MI_BYTES (5u * 65536)
#define MI_KEY 0x6b6579ull
#define MI_SIZE 64u
#define MI_ENTRY(slice) (OWN_MEMORY + 264 + 80 * (slice))
#define MI_BLOCK(number) (OWN_MEMORY + 65536 + 384 + MI_SIZE * (number))
#define MI_LARGE (OWN_MEMORY + 2 * 65536)
#define MI_HEAP (OWN_MEMORY + 48 * 1024) // behind the table
#define MI_CAPACITY 10u

static inline void mi_put_page(struct own_memory *own, unsigned slice, unsigned slices,
                               unsigned capacity, unsigned used, uint32_t size)
{
    own_put(own, MI_ENTRY(slice), slices, 4);
    own_put(own, MI_ENTRY(slice) + 10, capacity, 2);
    own_put(own, MI_ENTRY(slice) + 24, used, 4);
    own_put(own, MI_ENTRY(slice) + 28, size, 4);
    own_put(own, MI_ENTRY(slice) + 48, MI_HEAP, 8);
}

static inline void mi_put_segment(struct own_memory *own)
{
    own_put(own, OWN_MEMORY + 208, 2, 8); // pages
    own_put(own, OWN_MEMORY + 216, OWN_MEMORY ^ MI_KEY, 8);
    own_put(own, OWN_MEMORY + 224, 512, 8);
    own_put(own, OWN_MEMORY + 232, 1, 8);
    own_put(own, OWN_MEMORY + 248, 512, 8);
    own_put(own, MI_ENTRY(0), 1, 4);
    own_put(own, MI_ENTRY(4), 508, 4);
}

// Of ten blocks 9 and 8 are on `free`, 7 on `local_free`, 6 and 5 on `thread_free` and 4 is on the
// list of its heap. `used` counts those of the last two too.
static inline void mi_put_heap(struct own_memory *own)
{
    memset(own->bytes, 0, MI_BYTES);
    mi_put_segment(own);
    mi_put_page(own, 1, 1, MI_CAPACITY, 7, MI_SIZE);
    mi_put_page(own, 2, 2, 1, 1, 2 * 65536);
    own_put(own, MI_ENTRY(1) + 16, MI_BLOCK(9), 8);
    own_put(own, MI_BLOCK(9), MI_BLOCK(8), 8);
    own_put(own, MI_ENTRY(1) + 32, MI_BLOCK(7), 8);
    own_put(own, MI_ENTRY(1) + 40, MI_BLOCK(6) | 2, 8);
    own_put(own, MI_BLOCK(6), MI_BLOCK(5), 8);
    own_put(own, MI_HEAP + 2832, 131088, 8);
    own_put(own, MI_HEAP + 2840, MI_BLOCK(4), 8);
}
