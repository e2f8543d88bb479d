// SPDX-License-Identifier: MIT
// Allocators and their books, one row each. Whoever finds books reads them while the process goes
// on: nothing in them is believed before it was checked, every loop is bounded, and what could not
// be read is counted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "heap/heap_figures.h"
#include "heap/target.h"

#define BLOCK_HEAD 128 // bytes of a block that recognizers may look at without reading again

struct block { // in use
    uint64_t address;           // what the program got
    uint64_t usable;            // bytes from there that the program may use
    uint64_t taken;             // bytes that the allocator counts as in use for it
    uint32_t arena;             // numbered by the allocator, from 0
    size_t have;                // how many bytes `bytes` holds, from the block's first on
    const unsigned char *bytes; // valid during the visit
};

struct block_visitor {
    void *context;
    // Returns false to end the walk.
    bool (*visit)(void *context, const struct block *block);
};

struct walk_quality { // what a walk could not see; added to, not set
    uint64_t walked;    // bytes of arenas that were gone through
    uint64_t skipped;   // bytes of them that could not be told: not there, damaged, or moved
    uint64_t resyncs;   // places where the books did not fit and were picked up again behind
};

struct allocator {
    const char *name; // "glibc"
    bool by_arena;    // its blocks have numbers of arenas; otherwise they all say 0
    // Finds its books in a process, a struct of its own; NULL when they are not there. Where signs
    // of the allocator were found and the books were not, `why` gets one line for each sign that
    // failed.
    void *(*find)(struct heap_target *target, struct buf *why);
    // Writes which version it is, "2.36", into `text`: "" when that is not known.
    void (*version)(const void *books, char *text, size_t size);
    // Fills in what its books say. Those that it leaves alone are not known. After a walk there may
    // be more than before, and what both tell is then of the walk.
    void (*count)(void *books, struct heap_figures *figures);
    // Visits each block in use. NULL: its blocks cannot be walked (a heap that moves objects).
    void (*walk)(void *books, const struct block_visitor *visitor,
                 struct walk_quality *quality);
    void (*free)(void *books);
};

// In the order in which they are looked for; ends in NULL.
extern const struct allocator *const allocators[];
extern const struct allocator allocator_glibc;
extern const struct allocator allocator_pymalloc;
extern const struct allocator allocator_musl, allocator_mimalloc, allocator_go, allocator_jvm;
extern const struct allocator allocator_jemalloc;
extern const struct allocator allocator_tcmalloc;

struct found_allocator {
    const struct allocator *allocator;
    void *books;
};

struct found_allocators {
    struct found_allocator list[16];
    size_t count;
    struct buf why; // lines: what was found of allocators whose books were not
};

// Finds all allocators of a process; the target must outlive them. Finds none without failing.
void allocator_find_all(struct found_allocators *found, struct heap_target *target);
void allocator_free_all(struct found_allocators *found);
