// SPDX-License-Identifier: MIT
// jemalloc's books: the input is a block of an arena's base, with the list of caches, descriptions
// of extents, and the words of a leaf that lead to them.
#include "fuzz.h"

#include "base/mem.h"
#include "own_books.h"

#define CACHE 0x3000u        // the part of a cache that is rarely used, and the other one
#define CACHE_BINS 0x3800u
#define HELD 0x5000u         // addresses that it holds
#define EXTENTS 0x8000u
#define WORDS 0xc000u        // of the leaf
#define PAGES 64u
#define ROOT_WORDS (1u << 18)

// In this program's data, as jemalloc's is.
__attribute__((used)) static uint64_t root[ROOT_WORDS];
static struct heap_target target;
static void *books;

static void put(struct buf *out, size_t at, uint64_t word)
{
    while (out->length < at + 8)
        buf_putc(out, '\0');
    memcpy(out->data + at, &word, sizeof word);
}

static void put_extent(struct buf *out, unsigned page, uint64_t bits, unsigned pages, uint64_t word)
{
    size_t edata = EXTENTS + page * 128;
    put(out, edata, bits);
    put(out, edata + 8, HEAP + page * 4096);
    put(out, edata + 16, pages * 4096);
    put(out, WORDS + page * 8, (BOOKS + edata) | word);
}

static void put_base(struct buf *out)
{
    put(out, 0, MEMORY_BYTES); // the size of the block, of which there is no older one
    put(out, 44 * 8, BOOKS);
    put(out, 509 * 8, 0x10000);
    put(out, 510 * 8, 0x10000);
    put(out, 511 * 8, MEMORY_BYTES);
    put(out, 0x2000, LEAF + CACHE); // the arena's list of caches
}

static void put_cache(struct buf *out)
{
    put(out, CACHE, LEAF + CACHE);
    put(out, CACHE + 8, LEAF + CACHE);
    put(out, CACHE + 168, LEAF + CACHE_BINS);
    put(out, CACHE_BINS, LEAF + CACHE);
    put(out, CACHE_BINS + 8 + 24, BOOKS + HELD); // of the second size class: two blocks
    put(out, CACHE_BINS + 8 + 40, (uint64_t)(HELD + 16) << 32 | (uint64_t)(HELD - 64) << 16);
    put(out, HELD, HEAP);
    put(out, HELD + 8, HEAP + 16);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    if (number >= 1)
        return false;
    put_base(out);
    put_cache(out);
    put_extent(out, 0, 1 | 1 << 12 | 1ull << 20 | 64ull << 28, 1, 1 | 1ull << 48 | 2);
    put(out, EXTENTS + 64, UINT64_MAX);
    put_extent(out, 1, 1 | 36ull << 20, 5, 36ull << 48);
    put_extent(out, 6, 1 | 1 << 17 | 232ull << 20, 9, 1 << 2);
    return true;
}

static void begin(void)
{
    AUTO_BUF struct buf seed = {0}, why = {0};
    map_memory(BOOKS);
    map_memory(LEAF);
    map_memory(HEAP);
    memset(memory_at(HEAP), 1, PAGES * 4096);
    root[HEAP >> 30] = LEAF;
    fuzz_seed(0, &seed);
    take_input((const uint8_t *)seed.data, seed.length);
    memcpy(memory_at(LEAF), memory_at(BOOKS + WORDS), PAGES * 8);
    open_own(&target);
    books = allocator_jemalloc.find(&target, &why);
    require(books);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!books)
        begin();
    take_input(bytes, length);
    memcpy(memory_at(LEAF), memory_at(BOOKS + WORDS), PAGES * 8);
    memcpy(memory_at(LEAF + CACHE), memory_at(BOOKS + CACHE), HELD - CACHE); // as a thread's memory
    walk_books(&allocator_jemalloc, books, &target);
    return 0;
}
