// SPDX-License-Identifier: MIT
#include "collect/thread_calls.h"

#include <stdlib.h>

#include "base/mem.h"
#include "process/areas.h"
#include "unwind/thread_call.h"

#define PIECE (256u << 10)  // bytes of code that are looked at together
#define CODE_MAX (1ull << 30) // bytes of one process

struct call_search { // of one area
    unsigned char *piece;
    struct thread_calls newer, older;
};

static void add(struct thread_calls *calls, uint64_t address)
{
    if (calls->count < THREAD_CALLS_MOST)
        calls->list[calls->count++] = address;
}

static void add_all(struct thread_calls *calls, const struct thread_calls *more)
{
    for (size_t i = 0; i < more->count; i++)
        add(calls, more->list[i]);
}

// Pieces overlap, so that each call is seen with the code before and behind it.
static void look_through(struct call_search *search, const struct area *area)
{
    const size_t step = PIECE - THREAD_CALL_BEFORE - THREAD_CALL_BEHIND;
    const struct image *image = area->mapping->module->image;
    uint64_t first = area->mapping->offset, end = first + (area->end - area->start);
    end = end < image->size ? end : image->size;
    for (uint64_t at = first; at < end; at += step) {
        size_t length = end - at < PIECE ? (size_t)(end - at) : PIECE;
        size_t last = length < PIECE ? length : length - THREAD_CALL_BEHIND, found;
        bool newer;
        if (!image_read(image, at, search->piece, length))
            return;
        for (size_t from = at == first ? 0 : THREAD_CALL_BEFORE;
             (found = thread_call_find(search->piece, length, from, &newer)) < last;
             from = found + 1)
            add(newer ? &search->newer : &search->older, area->start + (at - first) + found);
    }
}

static bool has_code(const struct area *area)
{
    return area->mapping->module->kind == MODULE_FILE && area->mapping->module->image;
}

void thread_calls_find(struct space *space, bool filtered, struct thread_calls *calls)
{
    AUTO_FREE unsigned char *piece = xmalloc(PIECE);
    const struct areas *areas = space_areas(space);
    uint64_t looked = 0;
    *calls = (struct thread_calls){0};
    for (size_t i = 0; i < areas->count && looked < CODE_MAX; i++) {
        const struct area *area = &areas->list[i];
        if (!has_code(area))
            continue;
        looked += area->end - area->start;
        struct call_search search = {.piece = piece};
        look_through(&search, area);
        add_all(calls, &search.newer);
        if (filtered || !search.newer.count)
            add_all(calls, &search.older);
    }
}
