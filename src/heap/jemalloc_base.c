// SPDX-License-Identifier: MIT
#include "heap/jemalloc_base.h"

#include "base/mem.h"
#include "heap/jemalloc_extents.h"

#define CHAIN_MOST 65536u    // blocks of a base
#define HEAD_WORDS 1024u    // of the oldest block, among which the base is; they are used
#define BASES_MOST 4096u     // arenas

static bool read_block(struct heap_target *target, uint64_t address, uint64_t *size,
                       uint64_t *older)
{
    uint64_t words[2];
    if (!address || address % JEMALLOC_STRETCH || !heap_target_region(target, address) ||
        !heap_view_read(&target->view, address, words, sizeof words))
        return false;
    *size = words[0];
    *older = words[1];
    return *size && *size % JEMALLOC_STRETCH == 0 && *older % JEMALLOC_STRETCH == 0;
}

// Returns the bytes of the chain that begins at a block; 0 when it is none. Its end is the oldest.
static uint64_t chain(struct heap_target *target, uint64_t block, uint64_t *oldest)
{
    uint64_t size, older, sum = 0;
    for (size_t i = 0; i < CHAIN_MOST; i++) {
        if (!read_block(target, block, &size, &older))
            return 0;
        sum += size;
        *oldest = block;
        if (!older)
            return sum;
        block = older;
    }
    return 0;
}

// A base counts what it has mapped, and that is the sum of its chain: so its counters are found.
static bool add_counters(struct jemalloc_base *base, struct heap_target *target, uint64_t oldest)
{
    uint64_t words[HEAD_WORDS], mapped = 0, end;
    if (!heap_view_read(&target->view, oldest, words, sizeof words))
        return false;
    for (size_t i = 4; i < HEAD_WORDS; i++) {
        if (!mapped) {
            mapped = chain(target, words[i], &end);
            mapped = mapped && end == oldest ? mapped : 0;
        } else if (words[i] == mapped && words[i - 1] <= mapped && words[i - 2] <= words[i - 1] &&
                   words[i - 2]) {
            base->used += words[i - 2];
            base->mapped += mapped;
            return true;
        }
    }
    return false;
}

void jemalloc_base_add(struct jemalloc_base *base, struct heap_target *target, uint64_t block)
{
    uint64_t oldest;
    if (!chain(target, block, &oldest) || base->oldest.count == BASES_MOST)
        return;
    size_t at = address_list_from(&base->oldest, oldest);
    if (at < base->oldest.count && base->oldest.list[at] == oldest)
        return;
    address_list_add(&base->oldest, oldest);
    address_list_sort(&base->oldest);
    base->unknown += !add_counters(base, target, oldest);
}

void jemalloc_base_fini(struct jemalloc_base *base)
{
    address_list_fini(&base->oldest);
}

// ---------------------------------------------------------------- caches of threads

#define ARENA_PAGES 16u  // of the oldest block, among which the arena's list of caches begins
#define CACHES_MOST 65536u
#define BINS 73u         // that a cache has room for
#define BIN_WORDS 3u
#define HELD_MOST 8192u  // blocks that a bin has room for
#define SLOW_WORDS 32u   // of the part of a cache that is rarely used

// A bin of a cache: a stack of pointers that grows down to `head`; of where it ends when it is
// empty there are the lower 16 bits.
struct cache_bin {
    uint64_t head, requests;
    uint16_t low_water, full, empty, unused;
};

struct jemalloc_cache { // of a thread
    uint64_t slow; // the part that knows the other one
    struct cache_bin bins[BINS];
};

// Finds the cache that the words of a slow part lead to: both know each other.
static bool read_cache(struct heap_target *target, uint64_t slow, const uint64_t *words,
                       struct jemalloc_cache *cache)
{
    for (size_t i = 6; i < SLOW_WORDS; i++)
        if (words[i] && words[i] % 8 == 0 && heap_target_region(target, words[i]) &&
            heap_view_read(&target->view, words[i], &cache->slow, 8) && cache->slow == slow)
            return heap_view_read(&target->view, words[i], cache, sizeof *cache);
    return false;
}

static void take_bin(struct jemalloc_caches *caches, struct heap_target *target,
                     const struct cache_bin *bin, unsigned size_class)
{
    uint64_t held[HELD_MOST];
    uint64_t bytes = (uint16_t)(bin->empty - (uint16_t)bin->head), room = bin->empty - bin->full;
    if (!bin->head || !bytes || bytes % 8 || bytes > (uint16_t)room || bin->head % 8 ||
        !heap_view_read(&target->view, bin->head, held, bytes))
        return;
    for (size_t i = 0; i < bytes / 8; i++)
        address_list_add(&caches->blocks, held[i]);
    caches->bytes += bytes / 8 * jemalloc_class_size(size_class);
}

// Takes one cache and returns the slow part of the next; 0 when it is none. Slow parts begin with
// pointers to the next one and the one before, in a ring.
static uint64_t take_cache(struct jemalloc_caches *caches, struct heap_target *target, uint64_t at)
{
    uint64_t words[SLOW_WORDS], back;
    struct jemalloc_cache cache;
    if (!heap_view_read(&target->view, at, words, sizeof words) || words[0] % 8 ||
        !heap_target_region(target, words[0]) ||
        !heap_view_read(&target->view, words[0] + 8, &back, sizeof back) || back != at ||
        !read_cache(target, at, words, &cache))
        return 0;
    for (unsigned i = 0; i < BINS; i++)
        take_bin(caches, target, &cache.bins[i], i);
    caches->count++;
    return words[0];
}

static bool take_ring(struct jemalloc_caches *caches, struct heap_target *target, uint64_t first)
{
    uint64_t at = take_cache(caches, target, first);
    bool found = at;
    while (at && at != first && caches->count < CACHES_MOST)
        at = take_cache(caches, target, at);
    return found;
}

// An arena lies behind its base; the list of its caches is the first thing in it that leads to one.
static void take_arena(struct jemalloc_caches *caches, struct heap_target *target, uint64_t oldest)
{
    uint64_t words[JEMALLOC_PAGE / 8];
    for (size_t page = 0; page < ARENA_PAGES; page++) {
        if (!heap_view_read(&target->view, oldest + page * JEMALLOC_PAGE, words, sizeof words))
            continue;
        for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
            const struct proc_map *map =
                words[i] && words[i] % 8 == 0 && words[i] - oldest >= JEMALLOC_STRETCH
                    ? heap_target_region(target, words[i])
                    : NULL;
            if (map && map->writable && take_ring(caches, target, words[i]))
                return;
        }
    }
}

void jemalloc_caches_read(struct jemalloc_caches *caches, const struct jemalloc_base *base,
                          struct heap_target *target)
{
    *caches = (struct jemalloc_caches){0};
    for (size_t i = 0; i < base->oldest.count; i++)
        take_arena(caches, target, base->oldest.list[i]);
    address_list_sort(&caches->blocks);
}

void jemalloc_caches_fini(struct jemalloc_caches *caches)
{
    address_list_fini(&caches->blocks);
}
