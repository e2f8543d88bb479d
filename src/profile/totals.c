// SPDX-License-Identifier: MIT
#include "profile/totals.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/plain_frame.h"

struct counted { // of a location
    uint32_t first, count; // its frames; count 0: it has not been looked at
};

struct count {
    const struct plain_profile *profile;
    struct counted *locations; // [location]
    uint32_t *frames;          // [frame]: its row
    size_t frame_count, frame_capacity;
    struct map ids; // name << 32 | module -> row
    struct total_row *rows;
    uint32_t *seen; // [row]: the last stack that it was counted in
    size_t row_count, row_capacity, seen_capacity;
    struct cost *leaves; // [node]
};

static uint32_t row_of(struct count *count, const struct plain_frame *frame)
{
    uint64_t key = (uint64_t)frame->name_text << 32 | frame->module_text;
    uint32_t row = map_number(&count->ids, key);
    if (row == count->row_count) {
        ARRAY_RESERVE(count->rows, row, count->row_capacity);
        ARRAY_RESERVE(count->seen, row, count->seen_capacity);
        count->rows[row] = (struct total_row){
            .function = frame->name, .module = frame->module, .inlined = true};
        count->seen[row] = 0;
        count->row_count++;
    }
    count->rows[row].unnamed |= frame->unnamed;
    count->rows[row].inlined &= frame->inlined;
    return row;
}

static struct counted frames_of(struct count *count, uint32_t location)
{
    struct counted *known = &count->locations[location];
    if (known->count)
        return *known;
    known->first = (uint32_t)count->frame_count;
    known->count = (uint32_t)plain_frame_count(count->profile, location);
    for (size_t i = 0; i < known->count; i++) {
        struct plain_frame frame = plain_frame(count->profile, location, i);
        ARRAY_RESERVE(count->frames, count->frame_count, count->frame_capacity);
        count->frames[count->frame_count++] = row_of(count, &frame);
    }
    return *known;
}

static void count_stack(struct count *count, uint32_t leaf)
{
    const struct plain_node *nodes = count->profile->stacks.nodes;
    struct cost cost = count->leaves[leaf];
    for (uint32_t at = leaf; at; at = nodes[at].parent) {
        struct counted frames = frames_of(count, nodes[at].location);
        for (uint32_t i = 0; i < frames.count; i++) {
            uint32_t row = count->frames[frames.first + i];
            if (at == leaf && i == 0)
                cost_add(&count->rows[row].self, cost);
            if (count->seen[row] != leaf)
                cost_add(&count->rows[row].total, cost);
            count->seen[row] = leaf;
        }
    }
}

// What shrank most stands beside what grew most.
static int descending(int64_t a, int64_t b)
{
    a = cost_size(a), b = cost_size(b);
    return (a < b) - (a > b);
}

static int compare_rows(const void *left, const void *right)
{
    const struct total_row *a = left, *b = right;
    const int orders[] = {
        descending(cost_ns(a->self), cost_ns(b->self)),
        descending(a->self.samples, b->self.samples),
        descending(cost_ns(a->total), cost_ns(b->total)),
        descending(a->total.samples, b->total.samples),
        strcmp(a->function, b->function),
        strcmp(a->module, b->module),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(orders); i++)
        if (orders[i])
            return orders[i];
    return 0;
}

void totals_init(struct totals *totals, const struct measure *measure, size_t top)
{
    const struct plain_profile *profile = measure->profile;
    struct count count = {
        .profile = profile,
        .locations = xcalloc(profile->code.location_count + 1, sizeof *count.locations),
        .leaves = xcalloc(profile->stacks.count, sizeof *count.leaves),
    };
    *totals = (struct totals){0};
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct cost cost = measure_cost(measure, i);
        cost_add(&count.leaves[profile->samples.list[i].stack], cost);
        cost_add(&totals->all, cost);
    }
    for (uint32_t node = 1; node < profile->stacks.count; node++)
        if (cost_is_any(count.leaves[node]))
            count_stack(&count, node);
    if (count.row_count)
        qsort(count.rows, count.row_count, sizeof *count.rows, compare_rows);
    totals->rows = count.rows;
    totals->function_count = count.row_count;
    totals->count = count.row_count < top ? count.row_count : top;
    map_fini(&count.ids);
    free(count.locations);
    free(count.frames);
    free(count.seen);
    free(count.leaves);
}

void totals_fini(struct totals *totals)
{
    free(totals->rows);
    *totals = (struct totals){0};
}
