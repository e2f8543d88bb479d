// SPDX-License-Identifier: MIT
// Blocks that look as if they were in use and are not: those in caches of threads and in fast bins.
// Since glibc 2.34 a number that the process drew marks the former, since 2.29 the address of their
// cache; before that only the lists say it.
#include "heap/glibc_caches.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/glibc.h"

#define PAGE 4096u
#define PAGES 256u          // that are kept while lists are followed
#define MISSES_MAX 500000u  // pages that are read for lists
#define MARKS_MAX 4096u     // MiB with marked chunks; 32 MB of ours
#define NO_BITS UINT32_MAX
#define KEYS_MAX 1024u

static const struct cache_layout {
    uint16_t usable;            // of the block
    uint8_t count_bytes, bins;  // counts, then as many pointers
    bool counts_down;           // how many still fit
} layouts[] = {{0x288, 2, 64, false}, {0x248, 1, 64, false}, {0x2f8, 2, 76, true}};

#define CACHE_BYTES_MAX 0x2f8u

struct pages { // read lately
    struct heap_view *view;
    unsigned misses;
    uint64_t tags[PAGES]; // number + 1
    unsigned char bytes[PAGES][PAGE];
};

static void add_mark(struct glibc_marks *marks, uint64_t chunk)
{
    uint64_t mib = chunk >> 20;
    uint32_t at = map_get(&marks->by_mib, mib, NO_BITS);
    if (at == NO_BITS) {
        if (marks->count >= MARKS_MAX)
            return;
        ARRAY_RESERVE(marks->bits, marks->count, marks->capacity);
        at = (uint32_t)marks->count++;
        memset(marks->bits[at], 0, sizeof marks->bits[at]);
        map_put(&marks->by_mib, mib, at);
    }
    uint64_t place = (chunk & 0xfffff) / 16;
    marks->bits[at][place / 64] |= 1ull << place % 64;
}

static bool is_marked(const struct glibc_marks *marks, uint64_t chunk)
{
    if (!marks->count)
        return false;
    uint32_t at = map_get(&marks->by_mib, chunk >> 20, NO_BITS);
    uint64_t place = (chunk & 0xfffff) / 16;
    return at != NO_BITS && marks->bits[at][place / 64] >> place % 64 & 1;
}

// The filter has bits for the upper bits of words, which addresses and small numbers do not have.
static uint64_t *filter_of(struct glibc_caches *caches, uint64_t word)
{
    return &caches->key_filter[word >> 60];
}

// A word of libc's data that a block has in the place of the key is the key.
static bool is_possible_key(struct glibc_caches *caches, uint64_t word)
{
    if (word >> 47 == 0 || !(*filter_of(caches, word) >> (word >> 54 & 63) & 1) ||
        !map_get(&caches->keys, word, 0))
        return false;
    caches->key = word;
    return true;
}

bool glibc_is_cached_slowly(struct glibc_caches *caches, uint64_t chunk, const unsigned char *bytes,
                            size_t have)
{
    uint64_t word = have >= 16 ? glibc_word(bytes, 8) : 0;
    if (caches->owned ? word && !(word % 16) && map_get(&caches->owners, word, 0)
        : caches->key ? word == caches->key
                      : is_possible_key(caches, word))
        return true;
    return is_marked(&caches->marks, chunk);
}

static const struct cache_layout *layout_of(uint64_t usable)
{
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++)
        if (layouts[i].usable == usable)
            return &layouts[i];
    return NULL;
}

static unsigned count_at(const struct cache_layout *layout, const unsigned char *bytes, size_t bin)
{
    return layout->count_bytes == 1 ? bytes[bin] : bytes[2 * bin] | bytes[2 * bin + 1] << 8;
}

static uint64_t entry_at(const struct cache_layout *layout, const unsigned char *bytes, size_t bin)
{
    return glibc_word(bytes, (size_t)layout->count_bytes * layout->bins + 8 * bin);
}

static bool read_cache(struct heap_view *view, uint64_t block, const struct cache_layout *layout,
                       unsigned char bytes[CACHE_BYTES_MAX])
{
    return heap_view_peek(view, block, bytes, layout->usable) ||
           heap_view_read(view, block, bytes, layout->usable);
}

// A bin that holds nothing has no pointer, and one that has a pointer leads to a block. It has to
// have one, or any block of zeros would be a cache.
static bool is_cache(const struct heap_target *target, const struct cache_layout *layout,
                     const unsigned char *bytes)
{
    unsigned most = 0, full = 0;
    for (size_t i = 0; i < layout->bins; i++)
        most = count_at(layout, bytes, i) > most ? count_at(layout, bytes, i) : most;
    for (size_t i = 0; i < layout->bins; i++) {
        uint64_t entry = entry_at(layout, bytes, i);
        unsigned count = count_at(layout, bytes, i);
        bool empty = layout->counts_down ? !count || count == most : !count;
        if (!entry != empty && !(layout->counts_down && !count))
            return false;
        if (entry && (entry % 16 || !heap_target_region(target, entry)))
            return false;
        full += entry != 0;
    }
    return full;
}

bool glibc_is_thread_cache_slowly(const struct glibc_books *books, uint64_t block, uint64_t usable)
{
    unsigned char bytes[CACHE_BYTES_MAX];
    const struct cache_layout *layout = layout_of(usable);
    return layout && read_cache(&books->target->view, block, layout, bytes) &&
           is_cache(books->target, layout, bytes);
}

// ---------------------------------------------------------------- lists

static const unsigned char *page_bytes(struct pages *pages, uint64_t address, size_t length)
{
    uint64_t number = address / PAGE;
    size_t slot = number % PAGES;
    if (address % PAGE + length > PAGE)
        return NULL;
    if (pages->tags[slot] != number + 1) {
        if (++pages->misses > MISSES_MAX ||
            !heap_view_read(pages->view, number * PAGE, pages->bytes[slot], PAGE))
            return NULL;
        pages->tags[slot] = number + 1;
    }
    return pages->bytes[slot] + address % PAGE;
}

// Where the version is not known, a link that leads nowhere as it stands is taken for mixed.
static uint64_t link_of(const struct glibc_books *books, uint64_t place, uint64_t word)
{
    bool plain = books->version ? !glibc_mixes_links(books)
                                : word % 16 == 0 && heap_target_region(books->target, word);
    return plain ? word : word ^ place >> 12;
}

// Marks the chunks of a list of blocks. Links lead to blocks of any size, or those of fast bins to
// chunks of one size, `fast`.
static void mark_list(struct glibc_books *books, struct pages *pages, uint64_t block, uint64_t fast,
                      uint64_t steps)
{
    while (block && block % 16 == 0 && steps--) {
        const unsigned char *chunk = page_bytes(pages, block - CHUNK_HEAD, CHUNK_HEAD);
        if (!chunk || (fast && (glibc_word(chunk, 8) & ~(uint64_t)CHUNK_FLAGS) != fast))
            return;
        const unsigned char *link = page_bytes(pages, block, 8);
        add_mark(&books->caches.marks, block - CHUNK_HEAD);
        uint64_t next = link ? link_of(books, block, glibc_word(link, 0)) : 0;
        block = next && fast ? next + CHUNK_HEAD : next;
    }
}

static void mark_fast_bins(struct glibc_books *books, struct pages *pages)
{
    for (size_t i = 0; i < books->arena_count; i++) {
        const struct glibc_arena *arena = &books->arenas[i];
        for (size_t bin = 0; bin < FAST_BINS; bin++)
            if (arena->fast[bin])
                mark_list(books, pages, arena->fast[bin] + CHUNK_HEAD, CHUNK_LEAST + 16 * bin,
                          arena->system / CHUNK_LEAST);
    }
}

static bool fast_bins_moved(const struct glibc_books *books, const struct glibc_arena *arena)
{
    uint64_t fast[FAST_BINS];
    uint64_t at = arena->bins - CHUNK_HEAD - sizeof fast;
    return heap_view_read(&books->target->view, at, fast, sizeof fast) &&
           memcmp(fast, arena->fast, sizeof fast) != 0;
}

// Where blocks come and go, a chunk that was looked at was in a fast bin at that moment if it has
// such a link, which is mixed with its own place, to another one of its size. One that was taken
// out and not written to has one too: where fast bins stand still, the marks are the truth.
bool glibc_is_in_fast_bin(const struct glibc_books *books, uint32_t arena, uint64_t chunk,
                          uint64_t size, uint64_t next)
{
    uint64_t head[2];
    struct heap_view *view = &books->target->view;
    if (next && ((!heap_view_peek(view, next, head, sizeof head) &&
                  !heap_view_read(view, next, head, sizeof head)) ||
                 (head[1] & ~(uint64_t)CHUNK_FLAGS) != size))
        return false;
    return is_marked(&books->caches.marks, chunk) ||
           fast_bins_moved(books, &books->arenas[arena]);
}

// ---------------------------------------------------------------- caches of threads

// The number that marks cached blocks is a variable of libc. It was drawn at random, so it is
// larger than an address and nothing that a program counts; few others there are.
static void find_possible_keys(struct glibc_books *books)
{
    struct heap_view *view = &books->target->view;
    struct glibc_caches *caches = &books->caches;
    for (uint64_t at = books->data_start; at + 8 <= books->data_end; at += 8) {
        const unsigned char *bytes = heap_view_window(view, at, 8, books->data_end);
        uint64_t word = bytes ? glibc_word(bytes, 0) : 0;
        if (!bytes)
            at = (at | (PAGE - 1)) + 1 - 8;
        if (word >> 47 == 0 || word >> 47 == 0x1ffff || caches->keys.count >= KEYS_MAX)
            continue;
        map_put(&caches->keys, word, 1);
        *filter_of(caches, word) |= 1ull << (word >> 54 & 63);
    }
}

struct learning {
    struct glibc_books *books;
    struct pages *pages;
};

// Learns from one block of a cache how such blocks are marked.
static void learn_mark(struct learning *learning, uint64_t cache, uint64_t block)
{
    struct glibc_books *books = learning->books;
    struct glibc_caches *caches = &books->caches;
    uint64_t words[2];
    if (caches->key || caches->owned ||
        !heap_view_read(&books->target->view, block, words, sizeof words))
        return;
    if (words[1] == cache && (!books->version || books->version >= 229))
        caches->owned = true;
    else if (map_get(&caches->keys, words[1], 0))
        caches->key = words[1];
}

static bool learn(void *context, const struct block *block)
{
    struct learning *learning = context;
    struct glibc_books *books = learning->books;
    unsigned char bytes[CACHE_BYTES_MAX];
    const struct cache_layout *layout = layout_of(block->usable);
    if (!layout || !read_cache(&books->target->view, block->address, layout, bytes) ||
        !is_cache(books->target, layout, bytes))
        return true;
    map_put(&books->caches.owners, block->address, 1);
    for (size_t i = 0; i < layout->bins; i++) {
        uint64_t entry = entry_at(layout, bytes, i);
        if (entry)
            learn_mark(learning, block->address, entry);
        if (entry && !books->caches.key && !books->caches.owned)
            mark_list(books, learning->pages, entry, 0, PAGE);
    }
    return !books->caches.key;
}

// The first chunk of an arena mostly is the cache of the thread that made it.
static void learn_from_first_chunks(struct learning *learning)
{
    struct glibc_books *books = learning->books;
    for (size_t i = 0; i < books->piece_count && !books->caches.key; i++) {
        uint64_t head[2], at = books->pieces[i].start;
        if (heap_view_read(&books->target->view, at, head, sizeof head))
            learn(learning, &(struct block){
                                .address = at + CHUNK_HEAD,
                                .usable = (head[1] & ~(uint64_t)CHUNK_FLAGS) - 8,
                            });
    }
}

static void learn_from_all(struct learning *learning)
{
    struct glibc_books *books = learning->books;
    const struct block_visitor visitor = {learning, learn};
    for (size_t i = 0; i < books->piece_count; i++) {
        struct walk_quality ignored = {0};
        if (!glibc_walk_piece(books, &books->pieces[i], NULL, &visitor, &ignored))
            return;
    }
}

void glibc_caches_read(struct glibc_books *books)
{
    AUTO_FREE struct pages *pages = xcalloc(1, sizeof *pages);
    struct learning learning = {.books = books, .pages = pages};
    pages->view = &books->target->view;
    glibc_caches_free(&books->caches);
    if (!books->version || books->version >= 234)
        find_possible_keys(books);
    learn_from_first_chunks(&learning);
    if (!books->caches.key && (books->caches.owned || !books->version || books->version < 234))
        learn_from_all(&learning);
    mark_fast_bins(books, pages);
}

void glibc_caches_free(struct glibc_caches *caches)
{
    map_fini(&caches->owners);
    map_fini(&caches->keys);
    map_fini(&caches->marks.by_mib);
    free(caches->marks.bits);
    *caches = (struct glibc_caches){0};
}
