// SPDX-License-Identifier: MIT
// Which of glibc's blocks that look as if they were in use are in the cache of a thread or in a
// fast bin.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"

struct glibc_books;

static inline uint64_t glibc_word(const void *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}

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
