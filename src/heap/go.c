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

// Three numbers of bytes lie together that change with each span: in use, given back to the kernel,
// and free. They are known by the first, which is about what the spans add up to.
static bool read_pages(const struct go_books *books, uint64_t in_use, uint64_t *pages)
{
    unsigned char bytes[1024];
    size_t size = books->controller_size < sizeof bytes ? books->controller_size : sizeof bytes;
    if (size < 24 || !heap_view_read(&books->target->view, books->controller, bytes, size))
        return false;
    for (size_t at = 0; at + 24 <= size; at += 8) {
        bool whole = true;
        for (size_t i = 0; i < 3; i++) {
            pages[i] = word_at(bytes, at + 8 * i);
            whole &= pages[i] % GO_PAGE == 0 && pages[i] < 1ull << 47;
        }
        uint64_t off = pages[0] > in_use ? pages[0] - in_use : in_use - pages[0];
        if (whole && pages[0] && off <= in_use / 16)
            return true;
    }
    return false;
}

static void count(void *state, struct heap_figures *figures)
{
    const struct go_books *books = state;
    struct go_sums sums = {0};
    uint64_t pages[3];
    go_each_span(books, add_span, &sums);
    heap_figures_set(figures, FIGURE_ARENAS, 1);
    heap_figures_set(figures, FIGURE_IN_USE, sums.used);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, sums.objects);
    figures->why[FIGURE_IN_USE] = figures->why[FIGURE_IN_USE_BLOCKS] =
        "garbage counts until it is swept";
    if (read_pages(books, sums.pages, pages)) {
        heap_figures_set(figures, FIGURE_SYSTEM, pages[0] + pages[1] + pages[2]);
        heap_figures_set(figures, FIGURE_TRIMMABLE, pages[2]);
        heap_figures_set(figures, FIGURE_FREE, pages[0] - sums.used + pages[2]);
        return;
    }
    heap_figures_set(figures, FIGURE_FREE, sums.pages - sums.used);
    for (enum figure figure = FIGURE_SYSTEM; figure < FIGURE_COUNT; figure++)
        if (figure == FIGURE_SYSTEM || figure == FIGURE_TRIMMABLE)
            heap_figures_unknown(figures, figure, "runtime.gcController was not found");
}

const struct allocator allocator_go = {
    .name = "Go",
    .find = find,
    .version = version,
    .count = count,
    .walk = go_walk,
    .free = free,
};
