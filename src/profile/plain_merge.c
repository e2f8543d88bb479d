// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/plain.h"

struct merge {
    struct plain_profile *to;
    const struct plain_profile *from;
    // Of what `to` holds, by its parts, pair by pair.
    struct map pairs;
    struct map mappings, functions, locations; // the last of such pairs -> number
    // Of what `from` holds, the number in `to` + 1; 0: it is not there yet.
    uint32_t *to_mappings, *to_functions, *to_locations, *to_nodes, *to_sets;
    struct plain_line *lines; // of the location at hand
    size_t line_capacity;
};

static uint32_t pair(struct merge *merge, uint32_t high, uint32_t low)
{
    return map_number(&merge->pairs, (uint64_t)high << 32 | low);
}

static uint32_t long_pair(struct merge *merge, uint32_t high, uint64_t number)
{
    return pair(merge, pair(merge, high, (uint32_t)(number >> 32)), (uint32_t)number);
}

static uint32_t text(struct merge *merge, uint32_t number)
{
    return number ? plain_text(merge->to, plain_string(merge->from, number)) : 0;
}

// --- what tells them apart; `to` in its own texts ---

static uint32_t mapping_key(struct merge *merge, const struct plain_mapping *mapping)
{
    uint32_t key = mapping->build_id ? pair(merge, mapping->build_id, 1)
                                     : pair(merge, mapping->file, 0);
    key = long_pair(merge, key, mapping->offset);
    return long_pair(merge, key, mapping->limit - mapping->start);
}

static uint32_t function_key(struct merge *merge, const struct plain_function *function)
{
    uint32_t key = pair(merge, pair(merge, function->name, function->system_name), function->file);
    return long_pair(merge, key, (uint64_t)function->start_line);
}

static uint32_t location_key(struct merge *merge, uint32_t mapping, uint64_t address,
                             const struct plain_line *lines, size_t count)
{
    uint32_t key = long_pair(merge, mapping, address);
    for (size_t i = 0; i < count; i++) {
        key = pair(merge, key, lines[i].function);
        key = long_pair(merge, key, (uint64_t)lines[i].line);
        key = long_pair(merge, key, (uint64_t)lines[i].column);
    }
    return pair(merge, key, (uint32_t)count);
}

static void note(struct map *map, uint32_t key, uint32_t number)
{
    if (map_get(map, key, PLAIN_NONE) == PLAIN_NONE)
        map_put(map, key, number);
}

static void note_code(struct merge *merge)
{
    const struct plain_code *code = &merge->to->code;
    for (uint32_t i = 0; i < code->mapping_count; i++)
        note(&merge->mappings, mapping_key(merge, &code->mappings[i]), i);
    for (uint32_t i = 0; i < code->function_count; i++)
        note(&merge->functions, function_key(merge, &code->functions[i]), i);
    for (uint32_t i = 0; i < code->location_count; i++) {
        const struct plain_location *at = &code->locations[i];
        const struct plain_line *lines = at->count ? &code->lines[at->first] : NULL;
        note(&merge->locations,
             location_key(merge, at->mapping, at->address, lines, at->count), i);
    }
}

// --- what is taken over ---

static uint32_t take_mapping(struct merge *merge, uint32_t number)
{
    uint32_t *known = &merge->to_mappings[number];
    if (*known)
        return *known - 1;
    struct plain_mapping mapping = merge->from->code.mappings[number];
    mapping.file = text(merge, mapping.file);
    mapping.build_id = text(merge, mapping.build_id);
    uint32_t key = mapping_key(merge, &mapping);
    uint32_t found = map_get(&merge->mappings, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_mapping(merge->to, mapping);
        map_put(&merge->mappings, key, found);
    }
    struct plain_mapping *both = &merge->to->code.mappings[found];
    both->has_functions &= mapping.has_functions;
    both->has_files &= mapping.has_files;
    both->has_numbers &= mapping.has_numbers;
    both->has_inlined |= mapping.has_inlined;
    *known = found + 1;
    return found;
}

static uint32_t take_function(struct merge *merge, uint32_t number)
{
    uint32_t *known = &merge->to_functions[number];
    if (*known)
        return *known - 1;
    struct plain_function function = merge->from->code.functions[number];
    function.name = text(merge, function.name);
    function.system_name = text(merge, function.system_name);
    function.file = text(merge, function.file);
    uint32_t key = function_key(merge, &function);
    uint32_t found = map_get(&merge->functions, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_function(merge->to, function);
        map_put(&merge->functions, key, found);
    }
    *known = found + 1;
    return found;
}

static void take_lines(struct merge *merge, const struct plain_location *at)
{
    for (uint32_t i = 0; i < at->count; i++) {
        ARRAY_RESERVE(merge->lines, i, merge->line_capacity);
        merge->lines[i] = merge->from->code.lines[at->first + i];
        merge->lines[i].function = take_function(merge, merge->lines[i].function);
    }
}

static uint32_t take_location(struct merge *merge, uint32_t number)
{
    uint32_t *known = &merge->to_locations[number];
    if (*known)
        return *known - 1;
    const struct plain_location *at = &merge->from->code.locations[number];
    uint32_t mapping = PLAIN_NONE;
    uint64_t address = at->address;
    if (at->mapping != PLAIN_NONE) {
        mapping = take_mapping(merge, at->mapping);
        address += merge->to->code.mappings[mapping].start -
                   merge->from->code.mappings[at->mapping].start;
    }
    take_lines(merge, at);
    uint32_t key = location_key(merge, mapping, address, merge->lines, at->count);
    uint32_t found = map_get(&merge->locations, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_location(merge->to, mapping, address, merge->lines, at->count);
        merge->to->code.locations[found].folded = at->folded;
        map_put(&merge->locations, key, found);
    }
    *known = found + 1;
    return found;
}

// Without recursion: stacks and sets may be as deep as a file says. What is not there yet of the
// way to the root is looked at from the leaf, so that what is new is numbered in that order.
static uint32_t take_stack(struct merge *merge, uint32_t leaf)
{
    const struct plain_node *nodes = merge->from->stacks.nodes;
    AUTO_FREE uint32_t *way = NULL;
    size_t count = 0, capacity = 0;
    uint32_t at = leaf;
    for (; at && !merge->to_nodes[at]; at = nodes[at].parent) {
        ARRAY_RESERVE(way, count, capacity);
        way[count++] = at;
        take_location(merge, nodes[at].location);
    }
    uint32_t node = at ? merge->to_nodes[at] - 1 : 0;
    while (count-- > 0) {
        node = plain_child(merge->to, node, take_location(merge, nodes[way[count]].location));
        merge->to_nodes[way[count]] = node + 1;
    }
    return node;
}

static struct plain_label label_in(struct merge *merge, uint32_t number)
{
    struct plain_label label = merge->from->labels.list[number];
    label.key = text(merge, label.key);
    label.text = text(merge, label.text);
    label.unit = text(merge, label.unit);
    return label;
}

static uint32_t take_set(struct merge *merge, uint32_t wanted)
{
    const struct plain_set *sets = merge->from->labels.sets;
    AUTO_FREE uint32_t *way = NULL;
    size_t count = 0, capacity = 0;
    uint32_t at = wanted;
    for (; at && !merge->to_sets[at]; at = sets[at].parent) {
        ARRAY_RESERVE(way, count, capacity);
        way[count++] = at;
    }
    uint32_t set = at ? merge->to_sets[at] - 1 : 0;
    while (count-- > 0) {
        set = plain_with_label(merge->to, set, label_in(merge, sets[way[count]].label));
        merge->to_sets[way[count]] = set + 1;
    }
    return set;
}

static void take_samples(struct merge *merge)
{
    const struct plain_profile *from = merge->from;
    for (uint32_t i = 0; i < from->samples.count; i++) {
        const struct plain_sample *sample = &from->samples.list[i];
        if (plain_is_empty(from, i))
            continue;
        uint32_t set = take_set(merge, sample->labels);
        uint32_t stack = take_stack(merge, sample->stack);
        plain_add(merge->to, plain_sample(merge->to, stack, set), plain_values(from, i));
    }
}

// --- heads ---

static bool same_type(const struct plain_profile *to, struct plain_type a,
                      const struct plain_profile *from, struct plain_type b)
{
    return strcmp(plain_string(to, a.type), plain_string(from, b.type)) == 0 &&
           strcmp(plain_string(to, a.unit), plain_string(from, b.unit)) == 0;
}

static bool same_types(const struct plain_profile *to, const struct plain_profile *from)
{
    if (to->type_count != from->type_count ||
        !same_type(to, to->period_type, from, from->period_type))
        return false;
    for (size_t i = 0; i < to->type_count; i++)
        if (!same_type(to, to->types[i], from, from->types[i]))
            return false;
    return true;
}

static void merge_heads(struct plain_profile *to, const struct plain_profile *from)
{
    int64_t duration;
    if (!to->time || (from->time && from->time < to->time))
        to->time = from->time;
    if (!__builtin_add_overflow(to->duration, from->duration, &duration))
        to->duration = duration;
    if (from->period > to->period)
        to->period = from->period;
    to->folded += from->folded;
    for (size_t i = 0; i < from->comment_count; i++)
        plain_add_comment(to, plain_string(from, from->comments[i]));
}

static void merge_fini(struct merge *merge)
{
    map_fini(&merge->pairs);
    map_fini(&merge->mappings);
    map_fini(&merge->functions);
    map_fini(&merge->locations);
    free(merge->to_mappings);
    free(merge->to_functions);
    free(merge->to_locations);
    free(merge->to_nodes);
    free(merge->to_sets);
    free(merge->lines);
}

enum rc plain_merge(struct plain_profile *profile, const struct plain_profile *from,
                    struct err *err)
{
    if (!same_types(profile, from))
        return err_set(err, RC_USAGE, "the profiles are of different types");
    struct merge merge = {
        .to = profile,
        .from = from,
        .to_mappings = xcalloc(from->code.mapping_count + 1, sizeof(uint32_t)),
        .to_functions = xcalloc(from->code.function_count + 1, sizeof(uint32_t)),
        .to_locations = xcalloc(from->code.location_count + 1, sizeof(uint32_t)),
        .to_nodes = xcalloc(from->stacks.count, sizeof(uint32_t)),
        .to_sets = xcalloc(from->labels.set_count, sizeof(uint32_t)),
    };
    note_code(&merge);
    if (!profile->code.mapping_count && from->code.mapping_count)
        take_mapping(&merge, 0); // the main program's stays the first
    take_samples(&merge);
    merge_heads(profile, from);
    merge_fini(&merge);
    return RC_OK;
}
