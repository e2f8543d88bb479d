// SPDX-License-Identifier: MIT
// The heap of Go's runtime: spans, each of which holds objects of one size. Which of them are
// allocated a bitmap says that the collector made, and of those behind it an index.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "heap/allocator.h"

#define GO_PAGE 8192u
#define GO_SPAN 120u // bytes of a span that are looked at

struct go_layout { // of a span
    uint16_t alloc_bits; // offset
    bool narrow;         // free index and number of objects have 16 bits
    bool headers;        // large objects with pointers begin with their type
};

struct go_books {
    struct heap_target *target;
    const struct go_layout *layout;
    uint64_t all_spans; // address of the slice: pointer, length, capacity
    uint64_t controller, controller_size; // of the collector's pace; 0: not found
    char version[32];   // "1.19.8"
};

struct go_span { // that holds objects
    uint64_t at;         // where it is described
    uint64_t start;
    uint64_t size;       // of an object
    uint64_t alloc_bits; // address of the bitmap
    uint64_t pages;
    uint32_t count;      // objects that there is room for
    uint32_t allocated;
    uint32_t free_index; // what lies before it is allocated
    bool typed;          // its objects begin with their type
};

enum go_span_state { GO_SPAN_DEAD, GO_SPAN_OBJECTS, GO_SPAN_MANUAL, GO_SPAN_DAMAGED };

// Reads a span. What is said of it is filled in for those with objects.
enum go_span_state go_span_decode(const struct go_layout *layout, const unsigned char *bytes,
                                  struct go_span *span);

// Says what a span is that cannot be read. Nobody has written to it since the kernel took its page
// back, or ever: then it is dead.
enum go_span_state go_span_absent(const struct heap_target *target, uint64_t at);

// Calls for each span that holds objects, until that returns false. Returns how many spans could
// not be read.
uint64_t go_each_span(const struct go_books *books,
                      bool (*visit)(void *context, const struct go_span *span), void *context);

void go_walk(void *books, const struct block_visitor *visitor, struct walk_quality *quality);
