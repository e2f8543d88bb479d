// SPDX-License-Identifier: MIT
// mimalloc 2: segments at multiples of 32 MiB, which begin with a table of their slices of 64 KiB.
// A run of slices is a page, whose blocks have one size. Blocks that are free are on one of four
// lists: the page's `free` and `local_free`, its `thread_free`, which other threads push to, and
// the delayed ones of the heap that the page belongs to.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "heap/allocator.h"

#define MIMALLOC_SEGMENT (32ull << 20)
#define MIMALLOC_SLICE (64ull << 10)
#define MIMALLOC_SLICES 512u // entries of a segment's table at most
#define MIMALLOC_PAGE_MAX 128u // bytes of an entry

struct mimalloc_layout { // offsets
    const char *name;
    uint16_t cookie, segment_slices, slices; // in a segment
    uint16_t page;  // bytes of an entry, without keys
    uint16_t used, block_size, page_start, local_free, thread_free; // in an entry
    bool has_start; // otherwise where its first block lies follows from their size
};

struct mimalloc_segment {
    uint64_t at;
    uint32_t slices;  // of 64 KiB
    uint16_t info;    // slices of its own table
    uint16_t entries; // of that table
    bool huge;        // it holds one block
    uint32_t used;    // pages; 0: it is kept for later
};

struct mimalloc_page {
    uint64_t entry; // address of its entry
    uint64_t start; // of its first block
    uint64_t span;  // bytes of its slices
    uint64_t size;  // of a block
    uint32_t capacity, used; // blocks
    uint64_t free, local_free, thread_free; // heads of lists; as they are stored
    uint64_t heap;
    uint64_t keys[2]; // that lists are encoded with; 0: they are not
};

struct mimalloc_books {
    struct heap_target *target;
    const struct mimalloc_layout *layout;
    bool encoded; // entries have keys
    bool aligned_start; // pages of small blocks begin 384 bytes into their slice
    uint64_t key;  // a segment's cookie is its address with this
    struct mimalloc_segment *segments; // ascending
    size_t count, capacity;
    char version[16];
};

size_t mimalloc_entry_size(const struct mimalloc_books *books);

// Reads a segment's table, entries * entry size bytes. False when it is not there.
bool mimalloc_read_table(const struct mimalloc_books *books, const struct mimalloc_segment *segment,
                         unsigned char *table);

// Finds the page that begins with a slice. Returns how many slices it or the free run there takes,
// 0 when the table is damaged; of what is no page, `size` is 0.
uint32_t mimalloc_page_in(const struct mimalloc_books *books,
                          const struct mimalloc_segment *segment, const unsigned char *table,
                          uint32_t slice, struct mimalloc_page *page);

// Reads a page's entry again. False when it is another page now.
bool mimalloc_page_again(const struct mimalloc_books *books,
                         const struct mimalloc_segment *segment, struct mimalloc_page *page);

// Follows a link of a list: 0 at its end, and what is no address where it does not fit. `owner` is
// the page's entry or the heap that the list belongs to.
uint64_t mimalloc_decode(uint64_t link, uint64_t owner, const uint64_t *keys);

// Returns the bytes of a block that the program may use, of a page with keys. Where they are
// followed by padding, the block's last word says how much, and a canary in it that it does.
uint64_t mimalloc_usable(const struct mimalloc_page *page, uint64_t block, uint64_t padding);

void mimalloc_walk(void *books, const struct block_visitor *visitor,
                   struct walk_quality *quality);
