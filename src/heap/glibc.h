// SPDX-License-Identifier: MIT
// What the parts of glibc's books share: arenas, the heaps that they consist of, and which blocks
// that look as if they were in use are in a cache. Offsets are those of x86-64 from glibc 2.26 on;
// signs in memory choose among them, since distributions change what a version number says.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "heap/allocator.h"

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

struct glibc_marks { // a set of addresses of chunks: a bit for each place in a MiB that has any
    struct map by_mib;
    uint64_t (*bits)[1024];
    size_t count, capacity;
};

struct glibc_caches {
    uint64_t key;        // tcache_key: word 1 of each cached block; 0: not known
    struct map keys;     // where it is not: words of libc's data that it may be
    uint64_t key_filter[16]; // bits of their hashes
    struct map owners;   // before glibc 2.34 that word is the cache's address
    bool owned;          // it is so
    struct glibc_marks marks; // chunks in fast bins, and in caches before 2.29
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

static inline uint64_t glibc_word(const void *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}

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

// Reads which chunks are in caches. It walks the pieces once where the signs of glibc before 2.34
// are seen, since their caches lie anywhere.
void glibc_caches_read(struct glibc_books *books);
void glibc_caches_free(struct glibc_caches *caches);

// Returns whether a chunk that its neighbour calls in use is in a cache. `bytes` are of its block.
bool glibc_is_cached_slowly(struct glibc_caches *caches, uint64_t chunk, const unsigned char *bytes,
                            size_t have);

static inline bool glibc_is_cached(struct glibc_caches *caches, uint64_t chunk,
                                   const unsigned char *bytes, size_t have)
{
    if (!caches->key || caches->marks.count)
        return glibc_is_cached_slowly(caches, chunk, bytes, have);
    return have >= 16 && glibc_word(bytes, 8) == caches->key;
}

// Returns whether it is in a fast bin, where its first word seems to be the link to `next`.
bool glibc_is_in_fast_bin(const struct glibc_books *books, uint32_t arena, uint64_t chunk,
                          uint64_t size, uint64_t next);

// Returns whether a block is the cache of a thread. Their sizes differ with the version.
bool glibc_is_thread_cache_slowly(const struct glibc_books *books, uint64_t block, uint64_t usable);

static inline bool glibc_is_thread_cache(const struct glibc_books *books, uint64_t block,
                                         uint64_t usable)
{
    return (usable == 0x288 || usable == 0x248 || usable == 0x2f8) &&
           glibc_is_thread_cache_slowly(books, block, usable);
}

void glibc_marks_add(struct glibc_marks *marks, uint64_t chunk);
bool glibc_marks_have(const struct glibc_marks *marks, uint64_t chunk);

// Returns whether what follows an address in a piece looks like chunks.
bool glibc_is_chain(struct glibc_books *books, const struct glibc_piece *piece, uint64_t at);

// Visits all chunks of a piece that their neighbours call in use. `caches` NULL: cached ones too.
bool glibc_walk_piece(struct glibc_books *books, const struct glibc_piece *piece,
                      struct glibc_caches *caches, const struct block_visitor *visitor,
                      struct walk_quality *quality);

// Visits blocks that have mappings of their own.
bool glibc_walk_mapped(struct glibc_books *books, const struct block_visitor *visitor,
                       struct walk_quality *quality);
