// SPDX-License-Identifier: MIT
#include "profile/plain_transfer.h"

#include <stdlib.h>

#include "base/mem.h"

#define PAGE 4096 // bytes: mappings of the same pages may differ in what they say of the last one

struct plain_transfer {
    struct plain_profile *to;
    const struct plain_profile *from;
    // What `to` holds is found by its parts, pair by pair.
    struct map pairs;
    struct map mappings, functions, locations, sets; // the last of such pairs -> number
    // For what `from` holds, its number in `to` + 1; 0: it is not there yet.
    uint32_t *to_mappings, *to_functions, *to_locations, *to_nodes, *to_sets;
    struct plain_line *lines; // of the location at hand
    size_t line_capacity;
};

static uint32_t pair(struct plain_transfer *transfer, uint32_t high, uint32_t low)
{
    return map_number(&transfer->pairs, (uint64_t)high << 32 | low);
}

static uint32_t long_pair(struct plain_transfer *transfer, uint32_t high, uint64_t number)
{
    return pair(transfer, pair(transfer, high, (uint32_t)(number >> 32)), (uint32_t)number);
}

static uint32_t text(struct plain_transfer *transfer, uint32_t number)
{
    return number ? plain_text(transfer->to, plain_string(transfer->from, number)) : 0;
}

// --- what tells them apart; `to` in its own texts ---

static uint32_t mapping_key(struct plain_transfer *transfer, const struct plain_mapping *mapping)
{
    uint32_t key = mapping->build_id ? pair(transfer, mapping->build_id, 1)
                                     : pair(transfer, mapping->file, 0);
    key = long_pair(transfer, key, mapping->offset);
    return long_pair(transfer, key, (mapping->limit - mapping->start + PAGE - 1) / PAGE);
}

static uint32_t function_key(struct plain_transfer *transfer,
                             const struct plain_function *function)
{
    uint32_t key = pair(transfer, function->name, function->system_name);
    key = pair(transfer, key, function->file);
    return long_pair(transfer, key, (uint64_t)function->start_line);
}

static uint32_t location_key(struct plain_transfer *transfer, const struct plain_location *at,
                             const struct plain_line *lines)
{
    uint32_t key = pair(transfer, long_pair(transfer, at->mapping, at->address), at->folded);
    for (size_t i = 0; i < at->count; i++) {
        key = pair(transfer, key, lines[i].function);
        key = long_pair(transfer, key, (uint64_t)lines[i].line);
        key = long_pair(transfer, key, (uint64_t)lines[i].column);
    }
    return pair(transfer, key, at->count);
}

static int compare_numbers(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

// Sets with the same labels have the same key, whatever the order: Go's runtime has none.
static uint32_t labels_key(struct plain_transfer *transfer, uint32_t set)
{
    const struct plain_set *sets = transfer->to->labels.sets;
    AUTO_FREE uint32_t *labels = NULL;
    size_t count = 0, capacity = 0;
    for (; set; set = sets[set].parent) {
        ARRAY_RESERVE(labels, count, capacity);
        labels[count++] = sets[set].label;
    }
    if (count)
        qsort(labels, count, sizeof *labels, compare_numbers);
    uint32_t key = 0;
    for (size_t i = 0; i < count; i++)
        key = pair(transfer, key, labels[i]);
    return pair(transfer, key, (uint32_t)count);
}

static void note(struct map *map, uint32_t key, uint32_t number)
{
    if (map_get(map, key, PLAIN_NONE) == PLAIN_NONE)
        map_put(map, key, number);
}

static void note_all(struct plain_transfer *transfer)
{
    const struct plain_code *code = &transfer->to->code;
    for (uint32_t i = 0; i < code->mapping_count; i++)
        note(&transfer->mappings, mapping_key(transfer, &code->mappings[i]), i);
    for (uint32_t i = 0; i < code->function_count; i++)
        note(&transfer->functions, function_key(transfer, &code->functions[i]), i);
    for (uint32_t i = 0; i < code->location_count; i++) {
        const struct plain_location *at = &code->locations[i];
        const struct plain_line *lines = at->count ? &code->lines[at->first] : NULL;
        note(&transfer->locations, location_key(transfer, at, lines), i);
    }
    for (uint32_t i = 0; i < transfer->to->labels.set_count; i++)
        note(&transfer->sets, labels_key(transfer, i), i);
}

// --- what is taken over ---

static uint32_t take_mapping(struct plain_transfer *transfer, uint32_t number)
{
    uint32_t *known = &transfer->to_mappings[number];
    if (*known)
        return *known - 1;
    struct plain_mapping mapping = transfer->from->code.mappings[number];
    mapping.file = text(transfer, mapping.file);
    mapping.build_id = text(transfer, mapping.build_id);
    uint32_t key = mapping_key(transfer, &mapping);
    uint32_t found = map_get(&transfer->mappings, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_mapping(transfer->to, mapping);
        map_put(&transfer->mappings, key, found);
    }
    struct plain_mapping *both = &transfer->to->code.mappings[found];
    both->has_functions &= mapping.has_functions;
    both->has_files &= mapping.has_files;
    both->has_numbers &= mapping.has_numbers;
    both->has_inlined |= mapping.has_inlined;
    *known = found + 1;
    return found;
}

static uint32_t take_function(struct plain_transfer *transfer, uint32_t number)
{
    uint32_t *known = &transfer->to_functions[number];
    if (*known)
        return *known - 1;
    struct plain_function function = transfer->from->code.functions[number];
    function.name = text(transfer, function.name);
    function.system_name = text(transfer, function.system_name);
    function.file = text(transfer, function.file);
    uint32_t key = function_key(transfer, &function);
    uint32_t found = map_get(&transfer->functions, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_function(transfer->to, function);
        map_put(&transfer->functions, key, found);
    }
    *known = found + 1;
    return found;
}

static void take_lines(struct plain_transfer *transfer, const struct plain_location *at)
{
    for (uint32_t i = 0; i < at->count; i++) {
        ARRAY_RESERVE(transfer->lines, i, transfer->line_capacity);
        transfer->lines[i] = transfer->from->code.lines[at->first + i];
        transfer->lines[i].function = take_function(transfer, transfer->lines[i].function);
    }
}

static uint32_t take_location(struct plain_transfer *transfer, uint32_t number)
{
    uint32_t *known = &transfer->to_locations[number];
    if (*known)
        return *known - 1;
    struct plain_location at = transfer->from->code.locations[number];
    if (at.mapping != PLAIN_NONE) {
        uint32_t mapping = take_mapping(transfer, at.mapping);
        at.address += transfer->to->code.mappings[mapping].start -
                      transfer->from->code.mappings[at.mapping].start;
        at.mapping = mapping;
    }
    take_lines(transfer, &at);
    uint32_t key = location_key(transfer, &at, transfer->lines);
    uint32_t found = map_get(&transfer->locations, key, PLAIN_NONE);
    if (found == PLAIN_NONE) {
        found = plain_add_location(transfer->to, at.mapping, at.address, transfer->lines,
                                   at.count);
        transfer->to->code.locations[found].folded = at.folded;
        map_put(&transfer->locations, key, found);
    }
    if (!transfer->to->code.locations[found].inside)
        transfer->to->code.locations[found].inside = at.inside;
    *known = found + 1;
    return found;
}

// There is no recursion, because stacks and sets may be as deep as a file says. New locations are
// numbered from the leaf on.
uint32_t plain_transfer_stack(struct plain_transfer *transfer, uint32_t leaf)
{
    const struct plain_node *nodes = transfer->from->stacks.nodes;
    AUTO_FREE uint32_t *way = NULL;
    size_t count = 0, capacity = 0;
    uint32_t at = leaf;
    for (; at && !transfer->to_nodes[at]; at = nodes[at].parent) {
        ARRAY_RESERVE(way, count, capacity);
        way[count++] = at;
        take_location(transfer, nodes[at].location);
    }
    uint32_t node = at ? transfer->to_nodes[at] - 1 : 0;
    while (count-- > 0) {
        uint32_t location = take_location(transfer, nodes[way[count]].location);
        node = plain_child(transfer->to, node, location);
        transfer->to_nodes[way[count]] = node + 1;
    }
    return node;
}

static struct plain_label label_in(struct plain_transfer *transfer, uint32_t number)
{
    struct plain_label label = transfer->from->labels.list[number];
    label.key = text(transfer, label.key);
    label.text = text(transfer, label.text);
    label.unit = text(transfer, label.unit);
    return label;
}

uint32_t plain_transfer_labels(struct plain_transfer *transfer, uint32_t wanted)
{
    const struct plain_set *sets = transfer->from->labels.sets;
    AUTO_FREE uint32_t *way = NULL;
    size_t count = 0, capacity = 0;
    uint32_t at = wanted;
    for (; at && !transfer->to_sets[at]; at = sets[at].parent) {
        ARRAY_RESERVE(way, count, capacity);
        way[count++] = at;
    }
    uint32_t set = at ? transfer->to_sets[at] - 1 : 0;
    while (count-- > 0) {
        set = plain_with_label(transfer->to, set, label_in(transfer, sets[way[count]].label));
        uint32_t key = labels_key(transfer, set);
        note(&transfer->sets, key, set);
        set = map_get(&transfer->sets, key, set);
        transfer->to_sets[way[count]] = set + 1;
    }
    return set;
}

void plain_transfer_sample(struct plain_transfer *transfer, uint32_t sample, const int64_t *values)
{
    const struct plain_sample *of = &transfer->from->samples.list[sample];
    uint32_t set = plain_transfer_labels(transfer, of->labels);
    uint32_t stack = plain_transfer_stack(transfer, of->stack);
    plain_add(transfer->to, plain_sample(transfer->to, stack, set), values);
}

struct plain_transfer *plain_transfer_new(struct plain_profile *to)
{
    struct plain_transfer *transfer = xcalloc(1, sizeof *transfer);
    transfer->to = to;
    note_all(transfer);
    return transfer;
}

static void renew(uint32_t **numbers, size_t count)
{
    free(*numbers);
    *numbers = xcalloc(count + 1, sizeof **numbers);
}

void plain_transfer_from(struct plain_transfer *transfer, const struct plain_profile *from)
{
    transfer->from = from;
    renew(&transfer->to_mappings, from->code.mapping_count);
    renew(&transfer->to_functions, from->code.function_count);
    renew(&transfer->to_locations, from->code.location_count);
    renew(&transfer->to_nodes, from->stacks.count);
    renew(&transfer->to_sets, from->labels.set_count);
    if (!transfer->to->code.mapping_count && from->code.mapping_count)
        take_mapping(transfer, 0); // the main program's stays the first
}

void plain_transfer_free(struct plain_transfer *transfer)
{
    map_fini(&transfer->pairs);
    map_fini(&transfer->mappings);
    map_fini(&transfer->functions);
    map_fini(&transfer->locations);
    map_fini(&transfer->sets);
    free(transfer->to_mappings);
    free(transfer->to_functions);
    free(transfer->to_locations);
    free(transfer->to_nodes);
    free(transfer->to_sets);
    free(transfer->lines);
    free(transfer);
}

// --- heads ---

static uint32_t text_of(struct plain_profile *to, const struct plain_profile *from, uint32_t text)
{
    return plain_text(to, plain_string(from, text));
}

struct plain_profile *plain_head_of(const struct plain_profile *profile)
{
    struct plain_profile *head = plain_new();
    for (size_t i = 0; i < profile->type_count; i++)
        plain_add_type(head, plain_string(profile, profile->types[i].type),
                       plain_string(profile, profile->types[i].unit));
    head->default_type = text_of(head, profile, profile->default_type);
    head->period_type.type = text_of(head, profile, profile->period_type.type);
    head->period_type.unit = text_of(head, profile, profile->period_type.unit);
    head->period = profile->period;
    head->time = profile->time;
    head->duration = profile->duration;
    for (size_t i = 0; i < profile->comment_count; i++)
        plain_add_comment(head, plain_string(profile, profile->comments[i]));
    head->drop_frames = text_of(head, profile, profile->drop_frames);
    head->keep_frames = text_of(head, profile, profile->keep_frames);
    head->doc_url = text_of(head, profile, profile->doc_url);
    head->folded = profile->folded;
    return head;
}
