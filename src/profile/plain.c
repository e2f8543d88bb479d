// SPDX-License-Identifier: MIT
#include "profile/plain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t pair_key(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

struct plain_profile *plain_new(void)
{
    struct plain_profile *profile = xcalloc(1, sizeof *profile);
    strtab_init(&profile->texts);
    ARRAY_RESERVE(profile->stacks.nodes, 0, profile->stacks.capacity);
    profile->stacks.nodes[profile->stacks.count++] =
        (struct plain_node){PLAIN_NONE, PLAIN_NONE};
    ARRAY_RESERVE(profile->labels.sets, 0, profile->labels.set_capacity);
    profile->labels.sets[profile->labels.set_count++] = (struct plain_set){PLAIN_NONE, PLAIN_NONE};
    return profile;
}

static void code_fini(struct plain_code *code)
{
    free(code->mappings);
    free(code->functions);
    free(code->lines);
    free(code->locations);
}

void plain_free(struct plain_profile *profile)
{
    if (!profile)
        return;
    strtab_fini(&profile->texts);
    free(profile->types);
    free(profile->comments);
    code_fini(&profile->code);
    free(profile->stacks.nodes);
    map_fini(&profile->stacks.ids);
    free(profile->labels.list);
    map_fini(&profile->labels.ids);
    map_fini(&profile->labels.numbers);
    free(profile->labels.sets);
    map_fini(&profile->labels.set_ids);
    free(profile->samples.list);
    free(profile->samples.values);
    map_fini(&profile->samples.ids);
    free(profile);
}

static size_t memory_of(const struct map *map)
{
    return map->capacity * sizeof *map->slots;
}

size_t plain_memory(const struct plain_profile *profile)
{
    const struct plain_code *code = &profile->code;
    const struct plain_stacks *stacks = &profile->stacks;
    const struct plain_labels *labels = &profile->labels;
    const struct plain_samples *samples = &profile->samples;
    return strtab_memory(&profile->texts) +
           profile->comment_capacity * sizeof *profile->comments +
           code->mapping_capacity * sizeof *code->mappings +
           code->function_capacity * sizeof *code->functions +
           code->line_capacity * sizeof *code->lines +
           code->location_capacity * sizeof *code->locations +
           stacks->capacity * sizeof *stacks->nodes + memory_of(&stacks->ids) +
           labels->capacity * sizeof *labels->list + memory_of(&labels->ids) +
           memory_of(&labels->numbers) + labels->set_capacity * sizeof *labels->sets +
           memory_of(&labels->set_ids) + samples->capacity * sizeof *samples->list +
           samples->value_capacity * sizeof *samples->values + memory_of(&samples->ids);
}

// --- copies ---

#define COPY_ARRAY(array, count, capacity)                                                         \
    ((array) = xcopy((array), (count), sizeof *(array)), (capacity) = (count))

static void copy_code(struct plain_code *code)
{
    COPY_ARRAY(code->mappings, code->mapping_count, code->mapping_capacity);
    COPY_ARRAY(code->functions, code->function_count, code->function_capacity);
    COPY_ARRAY(code->lines, code->line_count, code->line_capacity);
    COPY_ARRAY(code->locations, code->location_count, code->location_capacity);
}

// The maps of the copy are made when something is added to it.
struct plain_profile *plain_copy(const struct plain_profile *profile)
{
    struct plain_profile *copy = xmalloc(sizeof *copy);
    *copy = *profile;
    strtab_copy(&copy->texts, &profile->texts);
    COPY_ARRAY(copy->types, copy->type_count, copy->type_capacity);
    COPY_ARRAY(copy->comments, copy->comment_count, copy->comment_capacity);
    copy_code(&copy->code);
    COPY_ARRAY(copy->stacks.nodes, copy->stacks.count, copy->stacks.capacity);
    copy->stacks.ids = (struct map){0};
    struct plain_labels *labels = &copy->labels;
    COPY_ARRAY(labels->list, labels->count, labels->capacity);
    COPY_ARRAY(labels->sets, labels->set_count, labels->set_capacity);
    labels->ids = labels->numbers = labels->set_ids = (struct map){0};
    struct plain_samples *samples = &copy->samples;
    COPY_ARRAY(samples->list, samples->count, samples->capacity);
    COPY_ARRAY(samples->values, samples->count * copy->type_count, samples->value_capacity);
    samples->ids = (struct map){0};
    copy->stacks.mapped = labels->mapped = labels->set_mapped = samples->mapped = 0;
    return copy;
}

void plain_take_code(struct plain_profile *copy, const struct plain_profile *from)
{
    assert(copy->texts.count <= from->texts.count &&
           copy->code.location_count <= from->code.location_count);
    code_fini(&copy->code);
    strtab_fini(&copy->texts);
    strtab_copy(&copy->texts, &from->texts);
    copy->code = from->code;
    copy_code(&copy->code);
}

// --- texts ---

uint32_t plain_text(struct plain_profile *profile, const char *text)
{
    return strtab_add(&profile->texts, text);
}

const char *plain_string(const struct plain_profile *profile, uint32_t text)
{
    return strtab_get(&profile->texts, text);
}

void plain_add_type(struct plain_profile *profile, const char *type, const char *unit)
{
    assert(!profile->samples.count);
    ARRAY_RESERVE(profile->types, profile->type_count, profile->type_capacity);
    profile->types[profile->type_count++] =
        (struct plain_type){.type = plain_text(profile, type), .unit = plain_text(profile, unit)};
}

void plain_add_comment(struct plain_profile *profile, const char *text)
{
    ARRAY_RESERVE(profile->comments, profile->comment_count, profile->comment_capacity);
    profile->comments[profile->comment_count++] = plain_text(profile, text);
}

// --- code ---

static uint32_t placeholder_of(struct plain_profile *profile, const char *module)
{
    AUTO_FREE char *text =
        xasprintf(module[0] == '[' ? "%s" : "[%s]", *module ? module : "unknown");
    return plain_text(profile, text);
}

uint32_t plain_add_mapping(struct plain_profile *profile, struct plain_mapping mapping)
{
    struct plain_code *code = &profile->code;
    assert(code->mapping_count < PLAIN_NONE);
    AUTO_FREE char *file = xstrdup(plain_string(profile, mapping.file));
    char *slash = strrchr(file, '/');
    const char *module = slash ? slash + 1 : file;
    mapping.module = plain_text(profile, module);
    mapping.placeholder = placeholder_of(profile, module);
    ARRAY_RESERVE(code->mappings, code->mapping_count, code->mapping_capacity);
    code->mappings[code->mapping_count] = mapping;
    return (uint32_t)code->mapping_count++;
}

uint32_t plain_add_function(struct plain_profile *profile, struct plain_function function)
{
    struct plain_code *code = &profile->code;
    assert(code->function_count < PLAIN_NONE);
    ARRAY_RESERVE(code->functions, code->function_count, code->function_capacity);
    code->functions[code->function_count] = function;
    return (uint32_t)code->function_count++;
}

static void add_lines(struct plain_code *code, const struct plain_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(lines[i].function < code->function_count);
        ARRAY_RESERVE(code->lines, code->line_count, code->line_capacity);
        code->lines[code->line_count++] = lines[i];
    }
}

uint32_t plain_add_location(struct plain_profile *profile, uint32_t mapping, uint64_t address,
                            const struct plain_line *lines, size_t count)
{
    struct plain_code *code = &profile->code;
    assert(code->location_count < PLAIN_NONE && count < PLAIN_NONE - code->line_count);
    assert(mapping == PLAIN_NONE || mapping < code->mapping_count);
    ARRAY_RESERVE(code->locations, code->location_count, code->location_capacity);
    code->locations[code->location_count] = (struct plain_location){
        .mapping = mapping,
        .address = address,
        .first = (uint32_t)code->line_count,
        .count = (uint32_t)count,
    };
    add_lines(code, lines, count);
    return (uint32_t)code->location_count++;
}

void plain_set_lines(struct plain_profile *profile, uint32_t location,
                     const struct plain_line *lines, size_t count)
{
    struct plain_code *code = &profile->code;
    assert(location < code->location_count && count < PLAIN_NONE - code->line_count);
    code->locations[location].first = (uint32_t)code->line_count;
    code->locations[location].count = (uint32_t)count;
    add_lines(code, lines, count);
}

struct line_counts { // of one mapping
    size_t lines, with_file, with_number;
};

static void count_lines(const struct plain_code *code, const struct plain_location *at,
                        struct line_counts *counts)
{
    counts->lines += at->count;
    for (uint32_t i = at->first; i < at->first + at->count; i++) {
        counts->with_file += code->functions[code->lines[i].function].file != 0;
        counts->with_number += code->lines[i].line != 0;
    }
}

void plain_judge_mappings(struct plain_profile *profile)
{
    struct plain_code *code = &profile->code;
    AUTO_FREE struct line_counts *counts = xcalloc(code->mapping_count + 1, sizeof *counts);
    for (size_t i = 0; i < code->location_count; i++) {
        const struct plain_location *at = &code->locations[i];
        if (at->mapping == PLAIN_NONE)
            continue;
        count_lines(code, at, &counts[at->mapping]);
        code->mappings[at->mapping].has_inlined |= at->count > 1;
    }
    for (size_t i = 0; i < code->mapping_count; i++) {
        struct plain_mapping *mapping = &code->mappings[i];
        mapping->has_files = counts[i].lines && counts[i].with_file == counts[i].lines;
        mapping->has_numbers = counts[i].lines && counts[i].with_number == counts[i].lines;
    }
}

// --- stacks ---

uint32_t plain_new_child(struct plain_profile *profile, uint32_t node, uint32_t location)
{
    struct plain_stacks *stacks = &profile->stacks;
    assert(node < stacks->count && location < profile->code.location_count);
    assert(stacks->count < PLAIN_NONE);
    ARRAY_RESERVE(stacks->nodes, stacks->count, stacks->capacity);
    stacks->nodes[stacks->count] = (struct plain_node){node, location};
    return (uint32_t)stacks->count++;
}

// Most nodes have one child, which was added right after them: it is found beside its parent, and
// the map holds only the others.
static void map_nodes(struct plain_stacks *stacks)
{
    for (; stacks->mapped < stacks->count; stacks->mapped++) {
        struct plain_node node = stacks->nodes[stacks->mapped];
        if (stacks->mapped && node.parent != stacks->mapped - 1) // the root is nobody's child
            map_put(&stacks->ids, pair_key(node.parent, node.location), (uint32_t)stacks->mapped);
    }
}

static uint32_t find_child(struct plain_stacks *stacks, uint32_t node, uint32_t location)
{
    uint32_t beside = node + 1;
    if (beside == stacks->count) // it is the newest one
        return PLAIN_NONE;
    if (stacks->nodes[beside].parent == node && stacks->nodes[beside].location == location)
        return beside;
    map_nodes(stacks);
    return map_get(&stacks->ids, pair_key(node, location), PLAIN_NONE);
}

uint32_t plain_child(struct plain_profile *profile, uint32_t node, uint32_t location)
{
    uint32_t child = find_child(&profile->stacks, node, location);
    return child != PLAIN_NONE ? child : plain_new_child(profile, node, location);
}

uint32_t plain_stack(struct plain_profile *profile, const uint32_t *locations, size_t count)
{
    uint32_t node = 0;
    for (size_t i = count; i-- > 0;)
        node = plain_child(profile, node, locations[i]);
    return node;
}

// --- labels ---

// Two labels get the same number only if all their parts are the same.
static uint32_t label_id(struct plain_labels *labels, struct plain_label label)
{
    uint64_t number = (uint64_t)label.number;
    const uint32_t rest[] = {label.text, label.unit, (uint32_t)(number >> 32), (uint32_t)number};
    uint32_t id = label.key;
    for (size_t i = 0; i < ARRAY_LENGTH(rest); i++)
        id = map_number(&labels->ids, pair_key(id, rest[i]));
    return id;
}

static void map_labels(struct plain_labels *labels)
{
    for (; labels->mapped < labels->count; labels->mapped++)
        map_put(&labels->numbers, label_id(labels, labels->list[labels->mapped]),
                (uint32_t)labels->mapped);
    for (; labels->set_mapped < labels->set_count; labels->set_mapped++) {
        struct plain_set set = labels->sets[labels->set_mapped];
        if (labels->set_mapped) // the empty one is nobody's larger one
            map_put(&labels->set_ids, pair_key(set.parent, set.label),
                    (uint32_t)labels->set_mapped);
    }
}

static uint32_t label_number(struct plain_labels *labels, struct plain_label label)
{
    uint32_t id = label_id(labels, label);
    uint32_t known = map_get(&labels->numbers, id, PLAIN_NONE);
    if (known != PLAIN_NONE)
        return known;
    ARRAY_RESERVE(labels->list, labels->count, labels->capacity);
    labels->list[labels->count++] = label;
    map_labels(labels);
    return (uint32_t)labels->count - 1;
}

uint32_t plain_with_label(struct plain_profile *profile, uint32_t set, struct plain_label label)
{
    struct plain_labels *labels = &profile->labels;
    assert(set < labels->set_count && labels->set_count < PLAIN_NONE);
    map_labels(labels);
    uint32_t number = label_number(labels, label);
    uint32_t larger = map_get(&labels->set_ids, pair_key(set, number), PLAIN_NONE);
    if (larger != PLAIN_NONE)
        return larger;
    ARRAY_RESERVE(labels->sets, labels->set_count, labels->set_capacity);
    labels->sets[labels->set_count] = (struct plain_set){set, number};
    return (uint32_t)labels->set_count++;
}

uint32_t plain_with_text(struct plain_profile *profile, uint32_t set, const char *key,
                         const char *text)
{
    if (!*text)
        return set;
    struct plain_label label = {.key = plain_text(profile, key), .text = plain_text(profile, text)};
    return plain_with_label(profile, set, label);
}

uint32_t plain_with_number(struct plain_profile *profile, uint32_t set, const char *key,
                           int64_t number)
{
    struct plain_label label = {.key = plain_text(profile, key), .number = number};
    if (!number) // the unit that readers take for one without: the key
        label.unit = label.key;
    return plain_with_label(profile, set, label);
}

const struct plain_label *plain_label(const struct plain_profile *profile, uint32_t set,
                                      const char *key)
{
    for (; set; set = profile->labels.sets[set].parent) {
        const struct plain_label *label = &profile->labels.list[profile->labels.sets[set].label];
        if (strcmp(plain_string(profile, label->key), key) == 0)
            return label;
    }
    return NULL;
}

// --- samples ---

static void map_samples(struct plain_samples *samples)
{
    for (; samples->mapped < samples->count; samples->mapped++) {
        struct plain_sample sample = samples->list[samples->mapped];
        map_put(&samples->ids, pair_key(sample.stack, sample.labels), (uint32_t)samples->mapped);
    }
}

uint32_t plain_sample(struct plain_profile *profile, uint32_t stack, uint32_t set)
{
    struct plain_samples *samples = &profile->samples;
    map_samples(samples);
    assert(stack < profile->stacks.count && set < profile->labels.set_count);
    uint32_t sample = map_get(&samples->ids, pair_key(stack, set), PLAIN_NONE);
    if (sample != PLAIN_NONE)
        return sample;
    assert(samples->count < PLAIN_NONE);
    ARRAY_RESERVE(samples->list, samples->count, samples->capacity);
    sample = (uint32_t)samples->count++;
    samples->list[sample] = (struct plain_sample){stack, set};
    for (size_t i = 0; i < profile->type_count; i++) {
        ARRAY_RESERVE(samples->values, sample * profile->type_count + i, samples->value_capacity);
        samples->values[sample * profile->type_count + i] = 0;
    }
    return sample;
}

static int64_t add_bounded(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

void plain_add(struct plain_profile *profile, uint32_t sample, const int64_t *values)
{
    assert(sample < profile->samples.count);
    int64_t *sums = &profile->samples.values[sample * profile->type_count];
    for (size_t i = 0; i < profile->type_count; i++)
        sums[i] = add_bounded(sums[i], values[i]);
}

const int64_t *plain_values(const struct plain_profile *profile, uint32_t sample)
{
    assert(sample < profile->samples.count);
    return &profile->samples.values[sample * profile->type_count];
}

bool plain_is_empty(const struct plain_profile *profile, uint32_t sample)
{
    const int64_t *values = plain_values(profile, sample);
    for (size_t i = 0; i < profile->type_count; i++)
        if (values[i])
            return false;
    return true;
}

void plain_reset(struct plain_profile *profile)
{
    size_t count = profile->samples.count * profile->type_count;
    if (count)
        memset(profile->samples.values, 0, count * sizeof *profile->samples.values);
}
