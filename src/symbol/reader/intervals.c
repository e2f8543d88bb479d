// SPDX-License-Identifier: MIT
#include "symbol/reader/intervals.h"

#include <stdlib.h>

#include "base/ascending.h"
#include "base/mem.h"

#define LOWEST_CODE 64 // below is the ELF header, or nothing
#define OVERLAPS_MAX 64 // intervals looked at in one search

void intervals_fini(struct intervals *intervals)
{
    free(intervals->items);
    *intervals = (struct intervals){0};
}

void intervals_add(struct intervals *intervals, uint64_t start, uint64_t end, uint32_t owner)
{
    if (start < LOWEST_CODE || start >= end)
        return;
    ARRAY_RESERVE(intervals->items, intervals->count, intervals->capacity);
    intervals->items[intervals->count++] =
        (struct interval){.start = start, .end = end, .owner = owner};
}

static int compare_starts(const void *left, const void *right)
{
    const struct interval *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end < b->end) - (a->end > b->end);
}

void intervals_sort(struct intervals *intervals)
{
    uint64_t reach = 0;
    if (intervals->count)
        qsort(intervals->items, intervals->count, sizeof *intervals->items, compare_starts);
    for (size_t i = 0; i < intervals->count; i++) {
        if (intervals->items[i].end > reach)
            reach = intervals->items[i].end;
        intervals->items[i].reach = reach;
    }
}

uint32_t intervals_find(const struct intervals *intervals, uint64_t address)
{
    const struct interval *last =
        ascending_last(intervals->items, intervals->count, sizeof *last, address);
    size_t begun = last ? (size_t)(last - intervals->items) + 1 : 0;
    for (size_t steps = 0; steps < begun && steps < OVERLAPS_MAX; steps++) {
        const struct interval *interval = last - steps;
        if (address < interval->end)
            return interval->owner;
        if (address >= interval->reach)
            break;
    }
    return INTERVALS_NONE;
}
