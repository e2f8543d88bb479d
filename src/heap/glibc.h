// SPDX-License-Identifier: MIT
// What the parts of glibc's books share: arenas, the heaps that they consist of, and which blocks
// that look as if they were in use are in a cache. Offsets are those of 64-bit processes from glibc
// 2.26 on; signs in memory choose among them, since distributions change what a version number
// says.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "heap/allocator.h"
#include "heap/glibc_caches.h"

#define CHUNK_PREV_IN_USE 1u // flags in the size of a chunk
#define CHUNK_MAPPED 2u
#define CHUNK_OTHER_ARENA 4u
#define CHUNK_FLAGS 7u
#define CHUNK_HEAD 16u  // bytes before a block
#define CHUNK_LEAST 32u // bytes of the smallest chunk
#define FAST_BINS 10u
#define FAST_MOST 176u  // bytes of a chunk in the last one
#define ARENAS_MAX 4096u
#define GLIBC_ARENA_BYTES 0x828u // of an arena, from its bins on

struct glibc_parameters { // mp_; zeroed: not found
    uint64_t address;
    uint64_t sbrk_base;
    uint64_t huge_page; // 0: heaps are 64 MiB
    uint64_t mapped_bytes;
    uint32_t mapped_blocks;
};

struct glibc_arena {
    uint64_t address;
    uint64_t bins; // address of the first bin's pointers
    uint64_t top;  // the chunk at the end that is cut for more
    uint64_t next;
    uint64_t system; // bytes
    uint64_t fast[FAST_BINS]; // the first chunk in each
    bool noncontiguous;
};

struct glibc_piece { // of an arena: chunks without a gap
    uint64_t start, end;
    uint64_t heap; // where the heap of another arena begins that it belongs to; 0: the main one
    uint64_t room; // bytes that the top may still move up to
    uint32_t arena;
    bool grows;    // it ends where the arena's top is
};

struct glibc_sums { // of the last walk
    bool known;
    uint64_t blocks, bytes; // in use
    uint64_t cached, metadata;
    uint64_t mapped_blocks, mapped_bytes;
};

struct glibc_books {
    struct heap_target *target;
    uint64_t data_start, data_end; // of libc's variables
    uint64_t top_at;               // offset of `top` in an arena
    uint32_t version;              // 236; 0: not known
    char version_text[16];
    struct glibc_parameters parameters;
    struct glibc_arena *arenas; // the main one first
    size_t arena_count, arena_capacity;
    uint64_t heap_head; // bytes at the beginning of a heap of another arena; 0: there is none
    struct glibc_piece *pieces; // ascending
    size_t piece_count, piece_capacity;
    struct glibc_caches caches;
    struct glibc_sums sums;
};

// Returns whether links of caches and fast bins are mixed with their places: since 2.32. A key for
// cached blocks is newer than that.
static inline bool glibc_mixes_links(const struct glibc_books *books)
{
    return books->version ? books->version >= 232 : books->caches.key;
}

// Finds the main arena, by its bins that point to themselves, and mp_. False: there is none; `why`
// says which sign failed, unless the arena was never used.
bool glibc_find(struct glibc_books *books, struct buf *why);

// Reads the arena at an address; false when its signs are not there.
bool glibc_arena_read(const struct glibc_books *books, uint64_t address, struct glibc_arena *arena);

// Reads which arenas and pieces there are now.
void glibc_pieces_read(struct glibc_books *books);

// Returns whether what follows an address in a piece looks like chunks.
bool glibc_is_chain(struct glibc_books *books, const struct glibc_piece *piece, uint64_t at);

// Visits all chunks of a piece that their neighbours call in use. `caches` NULL: cached ones too.
bool glibc_walk_piece(struct glibc_books *books, const struct glibc_piece *piece,
                      struct glibc_caches *caches, const struct block_visitor *visitor,
                      struct walk_quality *quality);

// Visits blocks that have mappings of their own.
bool glibc_walk_mapped(struct glibc_books *books, const struct block_visitor *visitor,
                       struct walk_quality *quality);
