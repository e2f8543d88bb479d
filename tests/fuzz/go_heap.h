// SPDX-License-Identifier: MIT
// A heap of Go 1.19 in memory of this process: a slice of five spans, and what says that Go built
// it.
#pragma once

#include "heap/go.h"
#include "tests/fuzz/own_memory.h"

#define GO_BYTES (64u << 10)
#define GO_SLICE (OWN_MEMORY + 4096)
#define GO_SPAN_AT(number) (OWN_MEMORY + 8192 + 160 * (number))
#define GO_START(number) (OWN_MEMORY + GO_PAGE * (2 + (number)))
#define GO_BITS (OWN_MEMORY + 12288)

// A span of one page of objects of 512 bytes, as Go 1.19 describes it.
static inline void go_put_span(struct own_memory *own, unsigned number, unsigned state,
                               unsigned free_index, unsigned allocated)
{
    uint64_t at = GO_SPAN_AT(number);
    own_put(own, GO_SLICE + 64 + 8 * number, at, 8);
    own_put(own, at + 24, GO_START(number), 8);
    own_put(own, at + 32, 1, 8);
    own_put(own, at + 48, free_index, 8);
    own_put(own, at + 56, 16, 8);
    own_put(own, at + 72, GO_BITS + 8 * number, 8);
    own_put(own, at + 96, allocated, 2);
    own_put(own, at + 98, 10, 1);
    own_put(own, at + 99, state, 1);
    own_put(own, at + 104, 512, 8);
    own_put(own, at + 112, GO_START(number) + GO_PAGE, 8);
}

// Of three spans of 16 objects one is full, one has four before its free index and two behind it,
// and one has none; two more hold no objects.
static inline void go_put_heap(struct own_memory *own)
{
    memset(own->bytes, 0, GO_BYTES);
    memcpy(own->bytes + 32, "\xff Go buildinf:\x08\x02", 16);
    memcpy(own->bytes + 64, "\x08go1.19.8", 9);
    own_put(own, GO_SLICE, GO_SLICE + 64, 8);
    own_put(own, GO_SLICE + 8, 5, 8);
    own_put(own, GO_SLICE + 16, 8, 8);
    go_put_span(own, 0, GO_SPAN_OBJECTS, 16, 16);
    go_put_span(own, 1, GO_SPAN_OBJECTS, 4, 6);
    go_put_span(own, 2, GO_SPAN_OBJECTS, 0, 0);
    go_put_span(own, 3, GO_SPAN_DEAD, 16, 16);
    go_put_span(own, 4, GO_SPAN_MANUAL, 16, 16);
    own_put(own, GO_BITS + 8, 1 << 5 | 1 << 15 | 3, 2); // the lowest bits say nothing
}
