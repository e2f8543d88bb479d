// SPDX-License-Identifier: MIT
#include "heap/heap_census.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "profile/place.h"
#include "profile/size_class.h"

#define ROWS_MAX 65536u   // what comes then is counted by size only
#define RECENT 512u       // rows that are found without a hash
#define LOOKS_EVERY 4096u // blocks between two looks at whether to go on

struct heap_census_counting {
    struct heap_census *census;
    const struct heap_census_options *options;
    uint32_t allocator;
    uint64_t seen;
    struct map by_key; // hash of what makes a row -> its first row
    uint32_t recent[RECENT]; // number + 1 of the last row whose key ended in this
};

struct row_key { // what blocks of one row share
    uint64_t size;
    uint32_t allocator, arena, kind;
};

static bool is_row(const struct heap_census_row *row, const struct row_key *like)
{
    return row->allocator == like->allocator && row->arena == like->arena &&
           row->kind == like->kind && row->size == like->size;
}

static uint64_t key_of(const struct row_key *row)
{
    uint64_t key = (uint64_t)row->allocator << 56 ^ (uint64_t)row->arena << 32 ^ row->kind;
    return key ^ row->size * 0x9e3779b97f4a7c15ull;
}

// Two rows of one key are rare: the later one has the next key that is free.
static struct heap_census_row *row_like(struct heap_census *census, struct map *by_key,
                                   const struct row_key *like)
{
    for (uint64_t key = key_of(like);; key++) {
        uint32_t at = map_get(by_key, key, UINT32_MAX);
        if (at != UINT32_MAX && is_row(&census->rows[at], like))
            return &census->rows[at];
        if (at != UINT32_MAX)
            continue;
        if (census->count >= ROWS_MAX && (like->kind || like->arena)) {
            census->folded++;
            return row_like(census, by_key, &(struct row_key){.allocator = like->allocator,
                                                              .size = like->size});
        }
        ARRAY_RESERVE(census->rows, census->count, census->capacity);
        map_put(by_key, key, (uint32_t)census->count);
        census->rows[census->count] = (struct heap_census_row){
            .allocator = like->allocator, .arena = like->arena, .kind = like->kind,
            .size = like->size};
        return &census->rows[census->count++];
    }
}

// Most blocks are like one that was met just before.
static struct heap_census_row *recent_row(struct heap_census_counting *counting,
                                          const struct row_key *like)
{
    struct heap_census *census = counting->census;
    uint32_t *recent = &counting->recent[(like->size / 8 + like->kind * 67) % RECENT];
    if (*recent && is_row(&census->rows[*recent - 1], like))
        return &census->rows[*recent - 1];
    struct heap_census_row *row = row_like(census, &counting->by_key, like);
    *recent = (uint32_t)(row - census->rows) + 1;
    return row;
}

static bool count_block(void *context, const struct block *block)
{
    struct heap_census_counting *counting = context;
    struct heap_census *census = counting->census;
    const struct row_key like = {
        .allocator = counting->allocator,
        .arena = block->arena,
        .kind = kinds_of(census->kinds, block),
        .size = size_class_of(block->usable),
    };
    struct heap_census_row *row = recent_row(counting, &like);
    if (row->count < HEAP_EXAMPLES)
        row->examples[row->count] = block->address;
    row->count++;
    row->bytes += block->taken;
    if (++counting->seen % LOOKS_EVERY == 0 && counting->options->interrupted &&
        counting->options->interrupted(counting->options->context))
        census->complete = false;
    return census->complete;
}

static void take_allocator(struct heap_census_counting *counting,
                           const struct found_allocator *found)
{
    struct heap_census *census = counting->census;
    struct heap_census_allocator *told = &census->allocators[counting->allocator];
    const struct allocator *allocator = found->allocator;
    *told = (struct heap_census_allocator){
        .name = allocator->name, .walked = allocator->walk, .by_arena = allocator->by_arena};
    allocator->version(found->books, told->version, sizeof told->version);
    if (allocator->walk)
        allocator->walk(found->books,
                        &(struct block_visitor){.context = counting, .visit = count_block},
                        &told->quality);
    allocator->count(found->books, &told->figures);
}

static void walk_allocators(struct heap_census *census, const struct found_allocators *found,
                            const struct heap_census_options *options)
{
    struct heap_census_counting counting = {.census = census, .options = options};
    for (; counting.allocator < found->count && census->complete; counting.allocator++)
        take_allocator(&counting, &found->list[counting.allocator]);
    map_fini(&counting.by_key);
}

static void take_program(struct heap_census *census, const struct heap_target *target)
{
    const struct mapping *mapping = modules_main(target->modules);
    if (!mapping)
        return;
    struct place place = place_of(target->modules, mapping);
    census->program = xstrdup(mapping->module->path);
    if (mapping->module->image)
        image_build_id_hex(mapping->module->image, census->build_id);
    census->program_start = place.start;
    census->program_limit = place.limit;
    census->program_offset = place.offset;
}

enum rc heap_census_take(struct heap_target *target, struct kinds *kinds,
                         const struct heap_census_options *options, struct heap_census **out,
                         struct err *err)
{
    int64_t began = clock_now();
    struct found_allocators found;
    *out = NULL;
    if (heap_target_refresh(target) != RC_OK)
        return heap_target_gone(target->pid, err);
    struct heap_census *census = xcalloc(1, sizeof *census);
    *census = (struct heap_census){
        .pid = target->pid, .time = clock_wall(), .complete = true, .kinds = kinds};
    if (procfs_comm(target->pid, target->pid, census->comm) != RC_OK)
        census->comm[0] = '\0';
    take_program(census, target);
    struct heap_view_counts before = target->view.counts;
    allocator_find_all(&found, target);
    census->allocators = xcalloc(found.count + 1, sizeof *census->allocators);
    census->allocator_count = found.count;
    walk_allocators(census, &found, options);
    if (kinds_learnt(kinds) && census->complete) {
        census->count = census->folded = 0;
        walk_allocators(census, &found, options);
    }
    census->why = xstrdup(found.why.length ? found.why.data : "");
    allocator_free_all(&found);
    struct heap_view_counts after = target->view.counts;
    census->counts = (struct heap_view_counts){
        after.read - before.read, after.absent - before.absent, after.swapped - before.swapped,
        after.failed - before.failed};
    census->duration = clock_now() - began;
    if (target->view.gone) {
        heap_census_free(census);
        return heap_target_gone(target->pid, err);
    }
    *out = census;
    return RC_OK;
}

void heap_census_free(struct heap_census *census)
{
    if (!census)
        return;
    free(census->allocators);
    free(census->rows);
    free(census->why);
    free(census->program);
    free(census);
}
