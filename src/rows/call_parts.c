// SPDX-License-Identifier: MIT
#include "rows/call_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int64_t call_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

int64_t call_magnitude(int64_t value)
{
    if (value >= 0)
        return value;
    return value == INT64_MIN ? INT64_MAX : -value;
}

// --- functions ---

struct numbering {
    const struct plain_profile *profile;
    struct call_graph *graph;
    size_t capacity;
    struct map named;    // name -> function
    struct map nameless; // module << 32 | first line -> function
};

static uint32_t number_of(struct numbering *numbering, struct call_function function)
{
    struct map *map = function.name ? &numbering->named : &numbering->nameless;
    uint64_t key = function.name ? function.name
                                 : (uint64_t)function.module << 32 | function.start_line;
    uint32_t number = map_get(map, key, CALL_NONE);
    if (number != CALL_NONE)
        return number;
    struct call_graph *graph = numbering->graph;
    ARRAY_RESERVE(graph->functions, graph->function_count, numbering->capacity);
    number = (uint32_t)graph->function_count++;
    graph->functions[number] = function;
    map_put(map, key, number);
    return number;
}

static uint32_t number_line(struct numbering *numbering, const struct plain_location *at,
                            uint32_t line)
{
    const struct plain_code *code = &numbering->profile->code;
    struct call_function function = {0};
    if (line < at->count) {
        const struct plain_function *of = &code->functions[code->lines[at->first + line].function];
        function.name = of->name;
        function.start_line = function.name ? 0 : (uint32_t)of->start_line;
    }
    if (!function.name && at->mapping != PLAIN_NONE)
        function.module = code->mappings[at->mapping].file;
    return number_of(numbering, function);
}

static void number_functions(struct call_parts *parts, const struct plain_profile *profile,
                             struct call_graph *graph)
{
    const struct plain_code *code = &profile->code;
    struct numbering numbering = {.profile = profile, .graph = graph};
    size_t count = 0, capacity = 0;
    parts->first = xcalloc(code->location_count + 1, sizeof *parts->first);
    for (size_t i = 0; i < code->location_count; i++) {
        const struct plain_location *at = &code->locations[i];
        uint32_t lines = at->count ? at->count : 1;
        for (uint32_t k = lines; k-- > 0;) {
            ARRAY_RESERVE(parts->of, count, capacity);
            parts->of[count++] = number_line(&numbering, at, k);
        }
        parts->first[i + 1] = (uint32_t)count;
    }
    map_fini(&numbering.named);
    map_fini(&numbering.nameless);
}

// --- stacks ---

static void add_samples(struct call_parts *parts, const struct plain_profile *profile,
                        size_t value)
{
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        int64_t has = plain_values(profile, i)[value];
        uint32_t leaf = profile->samples.list[i].stack;
        parts->own[leaf] = call_add(parts->own[leaf], has);
        parts->used[leaf] |= has != 0;
    }
}

// Callers have lower numbers than what they call.
static void add_up(struct call_parts *parts, const struct plain_stacks *stacks)
{
    memcpy(parts->sums, parts->own, stacks->count * sizeof *parts->sums);
    for (uint32_t i = (uint32_t)stacks->count; i-- > 1;) {
        uint32_t parent = stacks->nodes[i].parent;
        parts->sums[parent] = call_add(parts->sums[parent], parts->sums[i]);
        parts->used[parent] |= parts->used[i];
        parts->sibling[i] = parts->child[parent];
        parts->child[parent] = i;
    }
}

struct call_parts *call_parts_new(const struct plain_profile *profile, size_t value,
                                  struct call_graph *graph)
{
    size_t nodes = profile->stacks.count;
    struct call_parts *parts = xcalloc(1, sizeof *parts);
    number_functions(parts, profile, graph);
    parts->child = xcalloc(nodes, sizeof *parts->child);
    parts->sibling = xcalloc(nodes, sizeof *parts->sibling);
    parts->own = xcalloc(nodes, sizeof *parts->own);
    parts->sums = xcalloc(nodes, sizeof *parts->sums);
    parts->used = xcalloc(nodes, sizeof *parts->used);
    add_samples(parts, profile, value);
    add_up(parts, &profile->stacks);
    return parts;
}

static void call_index_fini(struct call_index *index)
{
    free(index->list);
    free(index->first);
    free(index->sorted);
}

void call_parts_free(struct call_parts *parts)
{
    free(parts->first);
    free(parts->of);
    free(parts->child);
    free(parts->sibling);
    free(parts->own);
    free(parts->sums);
    free(parts->used);
    call_index_fini(&parts->callers);
    call_index_fini(&parts->callees);
    free(parts);
}
