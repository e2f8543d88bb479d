// SPDX-License-Identifier: MIT
#include "output/go_ends.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

void go_ends_init(struct go_ends *ends, size_t threads)
{
    ends->heap = xcalloc(threads + 1, sizeof *ends->heap);
    ends->places = xcalloc(threads + 1, sizeof *ends->places);
    ends->times = xcalloc(threads + 1, sizeof *ends->times);
    ends->count = 0;
    for (size_t i = 0; i < threads; i++)
        ends->places[i] = SIZE_MAX;
}

void go_ends_fini(struct go_ends *ends)
{
    free(ends->heap);
    free(ends->places);
    free(ends->times);
}

// Those of one time come in the order of their numbers.
static bool before(const struct go_ends *ends, uint32_t a, uint32_t b)
{
    return ends->times[a] != ends->times[b] ? ends->times[a] < ends->times[b] : a < b;
}

static void put(struct go_ends *ends, size_t place, uint32_t thread)
{
    ends->heap[place] = thread;
    ends->places[thread] = place;
}

static void rise(struct go_ends *ends, size_t place, uint32_t thread)
{
    while (place && before(ends, thread, ends->heap[(place - 1) / 2])) {
        put(ends, place, ends->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(ends, place, thread);
}

static void sink(struct go_ends *ends, size_t place, uint32_t thread)
{
    for (size_t child; (child = 2 * place + 1) < ends->count; place = child) {
        if (child + 1 < ends->count && before(ends, ends->heap[child + 1], ends->heap[child]))
            child++;
        if (!before(ends, ends->heap[child], thread))
            break;
        put(ends, place, ends->heap[child]);
    }
    put(ends, place, thread);
}

void go_ends_set(struct go_ends *ends, uint32_t thread, int64_t time)
{
    size_t place = ends->places[thread];
    ends->times[thread] = time;
    if (place == SIZE_MAX)
        place = ends->count++;
    rise(ends, place, thread);
    sink(ends, ends->places[thread], thread);
}

uint32_t go_ends_take(struct go_ends *ends, int64_t until)
{
    if (!ends->count || ends->times[ends->heap[0]] > until)
        return GO_ENDS_NONE;
    uint32_t first = ends->heap[0];
    uint32_t last = ends->heap[--ends->count];
    ends->places[first] = SIZE_MAX;
    if (last != first)
        sink(ends, 0, last);
    return first;
}
