// SPDX-License-Identifier: MIT
// musl's malloc since 1.2.1: groups of up to 32 slots of one size, each described by a meta that
// lies apart from it, in pages that begin with a secret. A group may lie in a slot of a larger one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "heap/allocator.h"

#define MUSL_UNIT 16u    // bytes that sizes are counted in, and of a group's head
#define MUSL_HEADER 4u   // bytes before a block, taken from the end of the slot before it
#define MUSL_AREA 4096u  // bytes of a page of metas
#define MUSL_METAS 101u  // in such a page
#define MUSL_SINGLE 63u  // size class of a block that has a mapping of its own

struct musl_books {
    struct heap_target *target;
    uint64_t secret; // the first word of each page of metas
    uint64_t areas;  // address of the first such page
    char version[16];
};

struct musl_meta { // one group
    uint64_t at;    // address of the meta
    uint64_t group;
    uint32_t free;  // a bit for each slot that holds no block
    uint32_t slots; // 1 to 32
    bool releasable; // false: it lies in what was left over of a library's pages
    bool single;     // its size class is MUSL_SINGLE
    uint64_t stride; // bytes from slot to slot
    uint64_t mapped; // bytes of its own mapping; 0: it has none
};

// Returns the bytes that a group takes.
uint64_t musl_extent(const struct musl_meta *meta);

// Reads a page of metas. False when it is not there or is none.
bool musl_area_read(const struct musl_books *books, uint64_t area, unsigned char *bytes);

// Reads one meta of a page that was read. False when it describes no group.
bool musl_meta_in(const unsigned char *bytes, uint64_t area, size_t number,
                  struct musl_meta *meta);

// Calls for each group, until that returns false.
void musl_each_meta(const struct musl_books *books,
                    bool (*visit)(void *context, const struct musl_meta *meta), void *context);

void musl_walk(void *books, const struct block_visitor *visitor, struct walk_quality *quality);

// Tells what metas alone say.
void musl_count(void *books, struct heap_figures *figures);
