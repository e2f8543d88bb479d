// SPDX-License-Identifier: MIT
// Finds mimalloc's segments by what they begin with: the entries of a segment's table follow one
// another to its end, and each cookie is the segment's address with one key of the process.
#include "heap/mimalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/word.h"

#define CANDIDATES_MAX (1u << 18) // addresses that are looked at: 8 TiB of mappings
#define SEGMENT_HEAD 512u         // bytes before the table, and the beginning of it
#define INFO_MAX 16u              // slices of a table
#define VOTES_MAX 256u            // pages that are asked where their blocks begin

// Of 2.0.7 to 2.1.2, of 2.1.3 to 2.1.9, and of 2.2.
static const struct mimalloc_layout layouts[] = {
    {"2.0", .cookie = 216, .segment_slices = 224, .slices = 264, .page = 80, .used = 24,
     .block_size = 28, .local_free = 32, .thread_free = 40},
    {"2.1", .cookie = 216, .segment_slices = 224, .slices = 264, .page = 96, .used = 32,
     .block_size = 40, .page_start = 48, .local_free = 24, .thread_free = 56, .has_start = true},
    {"2.2", .cookie = 224, .segment_slices = 248, .slices = 288, .page = 96, .used = 32,
     .block_size = 40, .page_start = 48, .local_free = 24, .thread_free = 56, .has_start = true},
};

// Behind the number of a segment's slices.
#define INFO_SLICES 8u
#define KIND 16u
#define ENTRIES 24u

// Reads a segment by the books' layout. False when its numbers do not fit each other.
static bool decode_segment(const struct mimalloc_books *books, const unsigned char *bytes,
                           uint64_t at, struct mimalloc_segment *segment)
{
    const unsigned char *numbers = bytes + books->layout->segment_slices;
    uint64_t slices = word_at(numbers, 0), info = word_at(numbers, INFO_SLICES),
             entries = word_at(numbers, ENTRIES), kind = half_at(numbers, KIND);
    uint64_t most = slices < MIMALLOC_SLICES ? slices : MIMALLOC_SLICES;
    *segment = (struct mimalloc_segment){
        .at = at,
        .slices = (uint32_t)slices,
        .info = (uint16_t)info,
        .entries = (uint16_t)entries,
        .huge = kind == 1,
        .used = (uint32_t)word_at(bytes, books->layout->cookie - 8u),
    };
    return kind <= 1 && slices <= 1u << 31 && info && info <= INFO_MAX && info < slices &&
           (kind || slices == MIMALLOC_SLICES) && entries <= most && entries + 1 >= most &&
           entries > info;
}

// Returns whether the entries of a table lead from its first one to its last, and those of pages
// are as many as the segment says.
static bool is_table(const struct mimalloc_books *books, const struct mimalloc_segment *segment)
{
    struct mimalloc_page page;
    AUTO_FREE unsigned char *table = xmalloc(MIMALLOC_SLICES * mimalloc_entry_size(books));
    if (!mimalloc_read_table(books, segment, table) || half_at(table, 0) != segment->info)
        return false;
    uint32_t slice = segment->info, count = 1, pages = 0;
    for (; slice < segment->entries && count; slice += count) {
        count = mimalloc_page_in(books, segment, table, slice, &page);
        pages += page.size != 0;
    }
    return count && pages == segment->used && (segment->huge || slice == segment->entries);
}

// Chooses the layout by which that is a segment, with keys or without, and by which rule its pages
// begin; false when it is none by any.
static bool choose_layout(struct mimalloc_books *books, const unsigned char *bytes, uint64_t at)
{
    struct mimalloc_segment segment;
    for (size_t i = 0; i < 4 * ARRAY_LENGTH(layouts); i++) {
        books->layout = &layouts[i / 4];
        books->encoded = i & 2;
        books->aligned_start = !(i & 1);
        if (decode_segment(books, bytes, at, &segment) && segment.used &&
            is_table(books, &segment)) {
            books->key = at ^ word_at(bytes, books->layout->cookie);
            return true;
        }
    }
    books->layout = NULL;
    return false;
}

static void look_at(struct mimalloc_books *books, uint64_t at)
{
    struct mimalloc_segment segment;
    unsigned char bytes[SEGMENT_HEAD];
    if (!heap_view_read(&books->target->view, at, bytes, sizeof bytes) ||
        (!books->layout && !choose_layout(books, bytes, at)) ||
        (at ^ word_at(bytes, books->layout->cookie)) != books->key ||
        !decode_segment(books, bytes, at, &segment))
        return;
    ARRAY_RESERVE(books->segments, books->count, books->capacity);
    books->segments[books->count++] = segment;
}

static void find_segments(struct mimalloc_books *books)
{
    const struct regions *regions = &books->target->regions;
    uint64_t next = MIMALLOC_SEGMENT;
    for (size_t i = 0, candidates = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (next < map->start)
            next = (map->start + MIMALLOC_SEGMENT - 1) & ~(MIMALLOC_SEGMENT - 1);
        if (!map->writable || *map->path == '/' || map->shared)
            continue;
        for (; next < map->end && candidates < CANDIDATES_MAX; next += MIMALLOC_SEGMENT) {
            look_at(books, next);
            candidates++;
        }
    }
}

// Returns by how many blocks with an address in a list a rule is borne out.
static int votes_of(struct mimalloc_books *books, bool aligned)
{
    size_t size = mimalloc_entry_size(books);
    AUTO_FREE unsigned char *table = xmalloc(MIMALLOC_SLICES * size);
    int votes = 0;
    uint32_t asked = 0;
    books->aligned_start = aligned;
    for (size_t i = 0; i < books->count && asked < VOTES_MAX; i++) {
        const struct mimalloc_segment *segment = &books->segments[i];
        if (!segment->used || !mimalloc_read_table(books, segment, table))
            continue;
        struct mimalloc_page page;
        for (uint32_t slice = segment->info, count = 1; slice < segment->entries && count;
             slice += count) {
            count = mimalloc_page_in(books, segment, table, slice, &page);
            uint64_t free = page.free ? page.free : page.local_free;
            if (count && page.size && free && ++asked)
                votes += (free - page.start) % page.size == 0;
        }
    }
    return votes;
}

static void read_version(struct mimalloc_books *books)
{
    const struct regions *regions = &books->target->regions;
    snprintf(books->version, sizeof books->version, "%s", books->layout->name);
    for (size_t i = 0; i < regions->count; i++) {
        const char *name = strstr(regions->list[i].path, "/libmimalloc");
        const char *text = name ? strstr(name, ".so.") : NULL;
        if (text && text[4] == '2')
            snprintf(books->version, sizeof books->version, "%.15s", text + 4);
    }
}

// Says why the segments of a process that has mimalloc were not found.
static void explain(struct heap_target *target, struct buf *why)
{
    for (size_t i = 0; i < target->regions.count; i++)
        if (strstr(target->regions.list[i].path, "/libmimalloc")) {
            buf_puts(why, "mimalloc: no segment of version 2 at a multiple of 32 MiB; versions 1 "
                          "and 3 are not read\n");
            return;
        }
}

static void *find(struct heap_target *target, struct buf *why)
{
    struct mimalloc_books books = {.target = target};
    find_segments(&books);
    if (!books.count) {
        explain(target, why);
        return NULL;
    }
    if (!books.layout->has_start)
        books.aligned_start = votes_of(&books, true) >= votes_of(&books, false);
    read_version(&books);
    return xcopy(&books, 1, sizeof books);
}

static void version(const void *books, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct mimalloc_books *)books)->version);
}

struct mimalloc_sums { // over all segments
    uint64_t system, used, used_blocks, huge, huge_blocks, metadata;
};

static void add_segment(const struct mimalloc_books *books, const struct mimalloc_segment *segment,
                        const unsigned char *table, struct mimalloc_sums *sums)
{
    struct mimalloc_page page;
    for (uint32_t slice = segment->info, count = 1; slice < segment->entries && count;
         slice += count) {
        count = mimalloc_page_in(books, segment, table, slice, &page);
        if (!count || !page.size)
            continue;
        sums->used_blocks += page.used;
        sums->used += page.used * page.size;
        sums->huge_blocks += segment->huge ? page.used : 0;
        sums->huge += segment->huge ? page.used * page.size : 0;
    }
}

static void count(void *state, struct heap_figures *figures)
{
    const struct mimalloc_books *books = state;
    struct mimalloc_sums sums = {0};
    AUTO_FREE unsigned char *table = xmalloc(MIMALLOC_SLICES * mimalloc_entry_size(books));
    for (size_t i = 0; i < books->count; i++) {
        sums.system += books->segments[i].slices * MIMALLOC_SLICE;
        sums.metadata += books->segments[i].info * MIMALLOC_SLICE;
        if (books->segments[i].used && mimalloc_read_table(books, &books->segments[i], table))
            add_segment(books, &books->segments[i], table, &sums);
    }
    heap_figures_unknown(figures, FIGURE_ARENAS, "each thread of mimalloc has heaps of its own");
    heap_figures_set(figures, FIGURE_SYSTEM, sums.system);
    heap_figures_set(figures, FIGURE_IN_USE, sums.used);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, sums.used_blocks);
    heap_figures_set(figures, FIGURE_FREE, sums.system - sums.used - sums.metadata);
    heap_figures_set(figures, FIGURE_MAPPED, sums.huge);
    heap_figures_set(figures, FIGURE_MAPPED_BLOCKS, sums.huge_blocks);
    heap_figures_set(figures, FIGURE_METADATA, sums.metadata);
    heap_figures_unknown(figures, FIGURE_TRIMMABLE,
                         "mimalloc's books do not say which free slices it has given back");
}

static void free_books(void *state)
{
    struct mimalloc_books *books = state;
    free(books->segments);
    free(books);
}

const struct allocator allocator_mimalloc = {
    .name = "mimalloc",
    .find = find,
    .version = version,
    .count = count,
    .walk = mimalloc_walk,
    .free = free_books,
};
