// SPDX-License-Identifier: MIT
// Finds the heap of Go's runtime: a slice of pointers to all spans, which lies in the variable
// runtime.mheap_ or, where there are no symbols, anywhere in the data of a program that says that
// Go built it. Which layout spans have is known by whether they make sense.
#include "heap/go.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/go_version.h"
#include "heap/word.h"

#define TRIED 64u  // spans by which a slice and a layout are known
#define LEAST 3u   // of them that hold objects
#define TRIES 10u
#define PAUSE (5 * NS_PER_MS)
#define DATA_MAX (256ull << 20) // bytes of data that are searched

static const struct go_layout layouts[] = {
    {.alloc_bits = 72},                                  // 1.19
    {.alloc_bits = 64, .narrow = true, .headers = true}, // 1.26
};

static bool are_spans(struct heap_target *target, const struct go_layout *layout,
                      const uint64_t *pointers, size_t count)
{
    struct go_span span;
    unsigned char bytes[GO_SPAN];
    size_t with_objects = 0;
    for (size_t i = 0; i < count; i++) {
        enum go_span_state state = GO_SPAN_DAMAGED;
        if (pointers[i] % 8 == 0 && heap_view_read(&target->view, pointers[i], bytes, GO_SPAN))
            state = go_span_decode(layout, bytes, &span);
        else if (pointers[i] % 8 == 0)
            state = go_span_absent(target, pointers[i]);
        if (state == GO_SPAN_DAMAGED)
            return false;
        with_objects += state == GO_SPAN_OBJECTS;
    }
    return with_objects >= LEAST;
}

// Returns whether three words, which lie at `at`, are the slice of all spans.
static bool is_all_spans(struct go_books *books, const unsigned char *words, uint64_t at)
{
    uint64_t pointer = word_at(words, 0), length = word_at(words, 8), room = word_at(words, 16);
    uint64_t pointers[TRIED];
    size_t count = length < TRIED ? length : TRIED;
    if (!pointer || pointer % 8 || length < LEAST || length > room || room > 1u << 30 ||
        !heap_view_read(&books->target->view, pointer, pointers, count * 8))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++)
        if (are_spans(books->target, &layouts[i], pointers, count)) {
            books->layout = &layouts[i];
            books->all_spans = at;
            return true;
        }
    return false;
}

static bool search(struct go_books *books, uint64_t start, uint64_t end)
{
    for (uint64_t at = (start + 7) & ~7ull; at + 24 <= end; at += 8) {
        const unsigned char *words = heap_view_window(&books->target->view, at, 24, end);
        if (!words)
            at |= 4095 & ~7u; // that page is not there
        else {
            unsigned char copy[24];
            memcpy(copy, words, sizeof copy);
            if (is_all_spans(books, copy, at))
                return true;
        }
    }
    return false;
}

static bool search_data(struct go_books *books)
{
    const struct regions *regions = &books->target->regions;
    uint64_t left = DATA_MAX, end = 0;
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        bool is_program = heap_target_is_program(books->target, map);
        bool goes_on = map->start == end && !*map->path; // what is not in the file lies behind it
        if (!is_program && !goes_on)
            continue;
        end = map->end;
        if (!map->writable || map->end - map->start > left)
            continue;
        left -= map->end - map->start;
        if (search(books, map->start, map->end))
            return true;
    }
    return false;
}

static void *find(struct heap_target *target, struct buf *why)
{
    uint64_t at, size;
    struct go_books books = {.target = target};
    bool named = heap_target_variable(target, NULL, "runtime.mheap_", &at, &size);
    if (!go_version_read(target, named, books.version, sizeof books.version))
        return NULL;
    bool found = false;
    for (unsigned i = 0; i < TRIES && !found; i++) { // spans may just be changing
        if (i)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        heap_view_forget(&target->view);
        found = named ? search(&books, at, at + (size < DATA_MAX ? size : DATA_MAX))
                      : search_data(&books);
    }
    if (!found) {
        buf_printf(why,
                   "Go %s: no slice of spans as in 1.19 or 1.26 lies in %s\n", books.version,
                   named ? "runtime.mheap_" : "the data of the program, which has no symbols");
        return NULL;
    }
    heap_target_variable(target, NULL, "runtime.gcController", &books.controller,
                         &books.controller_size);
    return xcopy(&books, 1, sizeof books);
}

static void version(const void *books, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct go_books *)books)->version);
}

struct go_sums { // over spans with objects
    uint64_t pages, used, objects;
};

static bool add_span(void *context, const struct go_span *span)
{
    struct go_sums *sums = context;
    sums->pages += span->pages * GO_PAGE;
    sums->used += span->allocated * span->size;
    sums->objects += span->allocated;
    return true;
}

struct go_pages { // bytes: of spans, given back to the kernel, free, and not given back of
    uint64_t in_use, released, free, ready; // everything, stacks and books included
};

#define PAGES 48u // bytes of the numbers; what was allocated and freed so far lies between them

static bool take_pages(const unsigned char *bytes, uint64_t in_use, struct go_pages *pages)
{
    for (size_t i = 0; i < 3; i++)
        if (word_at(bytes, 8 * i) % GO_PAGE || word_at(bytes, 8 * i) >> 47)
            return false;
    *pages = (struct go_pages){word_at(bytes, 0), word_at(bytes, 8), word_at(bytes, 16),
                               word_at(bytes, 40)};
    uint64_t off = pages->in_use > in_use ? pages->in_use - in_use : in_use - pages->in_use;
    return pages->in_use && off <= in_use / 16 && pages->ready >= pages->in_use + pages->free &&
           pages->ready < 1ull << 47;
}

// These numbers lie together and change with each span. They are known by the first, which is about
// what the spans add up to.
static bool read_pages(const struct go_books *books, uint64_t in_use, struct go_pages *pages)
{
    unsigned char bytes[1024];
    size_t size = books->controller_size < sizeof bytes ? books->controller_size : sizeof bytes;
    if (size < PAGES || !heap_view_read(&books->target->view, books->controller, bytes, size))
        return false;
    for (size_t at = 0; at + PAGES <= size; at += 8)
        if (take_pages(bytes + at, in_use, pages))
            return true;
    return false;
}

static void count(void *state, struct heap_figures *figures)
{
    const struct go_books *books = state;
    struct go_sums sums = {0};
    struct go_pages pages;
    go_each_span(books, add_span, &sums);
    heap_figures_set(figures, FIGURE_ARENAS, 1);
    heap_figures_set(figures, FIGURE_IN_USE, sums.used);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, sums.objects);
    figures->why[FIGURE_IN_USE] = figures->why[FIGURE_IN_USE_BLOCKS] =
        "garbage counts until it is swept";
    if (read_pages(books, sums.pages, &pages)) {
        heap_figures_set(figures, FIGURE_SYSTEM, pages.in_use + pages.released + pages.free);
        heap_figures_set(figures, FIGURE_TRIMMABLE, pages.free);
        heap_figures_set(figures, FIGURE_RELEASED, pages.released);
        heap_figures_set(figures, FIGURE_TOTAL, pages.ready + pages.released);
        heap_figures_set(figures, FIGURE_FREE, pages.in_use - sums.used + pages.free);
        return;
    }
    static const enum figure of_pages[] = {FIGURE_SYSTEM, FIGURE_TRIMMABLE, FIGURE_RELEASED,
                                           FIGURE_TOTAL};
    heap_figures_set(figures, FIGURE_FREE, sums.pages - sums.used);
    for (size_t i = 0; i < ARRAY_LENGTH(of_pages); i++)
        heap_figures_unknown(figures, of_pages[i], "runtime.gcController was not found");
}

const struct allocator allocator_go = {
    .name = "Go",
    .find = find,
    .version = version,
    .count = count,
    .walk = go_walk,
    .free = free,
};
