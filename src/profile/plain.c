// SPDX-License-Identifier: MIT
#include "profile/plain.h"

#include <assert.h>
#include <math.h>
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

void plain_free(struct plain_profile *profile)
{
    if (!profile)
        return;
    strtab_fini(&profile->texts);
    free(profile->types);
    free(profile->comments);
    free(profile->code.mappings);
    free(profile->code.functions);
    free(profile->code.lines);
    free(profile->code.locations);
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

// --- copies ---

static void *copied(const void *array, size_t count, size_t size)
{
    void *copy = xcalloc(count ? count : 1, size);
    if (count)
        memcpy(copy, array, count * size);
    return copy;
}

#define COPY_ARRAY(array, count, capacity)                                                         \
    ((array) = copied((array), (count), sizeof *(array)), (capacity) = (count))

static void copy_map(struct map *map)
{
    if (map->slots)
        map->slots = copied(map->slots, map->capacity, sizeof *map->slots);
}

// The same texts in the same order get the same numbers.
static void copy_texts(struct strtab *copy, const struct strtab *texts)
{
    strtab_init(copy);
    for (uint32_t id = 1; id < texts->count; id++)
        strtab_add(copy, strtab_get(texts, id));
}

struct plain_profile *plain_copy(const struct plain_profile *profile)
{
    struct plain_profile *copy = xmalloc(sizeof *copy);
    *copy = *profile;
    copy_texts(&copy->texts, &profile->texts);
    COPY_ARRAY(copy->types, copy->type_count, copy->type_capacity);
    COPY_ARRAY(copy->comments, copy->comment_count, copy->comment_capacity);
    struct plain_code *code = &copy->code;
    COPY_ARRAY(code->mappings, code->mapping_count, code->mapping_capacity);
    COPY_ARRAY(code->functions, code->function_count, code->function_capacity);
    COPY_ARRAY(code->lines, code->line_count, code->line_capacity);
    COPY_ARRAY(code->locations, code->location_count, code->location_capacity);
    COPY_ARRAY(copy->stacks.nodes, copy->stacks.count, copy->stacks.capacity);
    copy_map(&copy->stacks.ids);
    COPY_ARRAY(copy->labels.list, copy->labels.count, copy->labels.capacity);
    copy_map(&copy->labels.ids);
    copy_map(&copy->labels.numbers);
    COPY_ARRAY(copy->labels.sets, copy->labels.set_count, copy->labels.set_capacity);
    copy_map(&copy->labels.set_ids);
    struct plain_samples *samples = &copy->samples;
    COPY_ARRAY(samples->list, samples->count, samples->capacity);
    COPY_ARRAY(samples->values, samples->count * copy->type_count, samples->value_capacity);
    copy_map(&samples->ids);
    return copy;
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
        (struct plain_type){plain_text(profile, type), plain_text(profile, unit)};
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
    for (size_t i = 0; i < count; i++) {
        assert(lines[i].function < code->function_count);
        ARRAY_RESERVE(code->lines, code->line_count, code->line_capacity);
        code->lines[code->line_count++] = lines[i];
    }
    return (uint32_t)code->location_count++;
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

static void map_nodes(struct plain_stacks *stacks)
{
    for (; stacks->mapped < stacks->count; stacks->mapped++) {
        struct plain_node node = stacks->nodes[stacks->mapped];
        if (stacks->mapped) // the root is nobody's child
            map_put(&stacks->ids, pair_key(node.parent, node.location), (uint32_t)stacks->mapped);
    }
}

uint32_t plain_child(struct plain_profile *profile, uint32_t node, uint32_t location)
{
    map_nodes(&profile->stacks);
    uint32_t child = map_get(&profile->stacks.ids, pair_key(node, location), PLAIN_NONE);
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

// Pairs of pairs: two labels end at the same number only if all their parts are the same.
static uint32_t label_id(struct plain_labels *labels, struct plain_label label)
{
    uint64_t number = (uint64_t)label.number;
    const uint32_t rest[] = {label.text, label.unit, (uint32_t)(number >> 32), (uint32_t)number};
    uint32_t id = label.key;
    for (size_t i = 0; i < ARRAY_LENGTH(rest); i++)
        id = map_number(&labels->ids, pair_key(id, rest[i]));
    uint32_t known = map_get(&labels->numbers, id, PLAIN_NONE);
    if (known != PLAIN_NONE)
        return known;
    ARRAY_RESERVE(labels->list, labels->count, labels->capacity);
    labels->list[labels->count] = label;
    map_put(&labels->numbers, id, (uint32_t)labels->count);
    return (uint32_t)labels->count++;
}

uint32_t plain_with_label(struct plain_profile *profile, uint32_t set, struct plain_label label)
{
    struct plain_labels *labels = &profile->labels;
    assert(set < labels->set_count && labels->set_count < PLAIN_NONE);
    uint64_t key = pair_key(set, label_id(labels, label));
    uint32_t larger = map_get(&labels->set_ids, key, PLAIN_NONE);
    if (larger != PLAIN_NONE)
        return larger;
    ARRAY_RESERVE(labels->sets, labels->set_count, labels->set_capacity);
    larger = (uint32_t)labels->set_count++;
    labels->sets[larger] = (struct plain_set){set, (uint32_t)key};
    map_put(&labels->set_ids, key, larger);
    return larger;
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

uint32_t plain_sample(struct plain_profile *profile, uint32_t stack, uint32_t set)
{
    struct plain_samples *samples = &profile->samples;
    assert(stack < profile->stacks.count && set < profile->labels.set_count);
    uint32_t sample = map_get(&samples->ids, pair_key(stack, set), PLAIN_NONE);
    if (sample != PLAIN_NONE)
        return sample;
    assert(samples->count < PLAIN_NONE);
    ARRAY_RESERVE(samples->list, samples->count, samples->capacity);
    sample = (uint32_t)samples->count++;
    samples->list[sample] = (struct plain_sample){stack, set};
    map_put(&samples->ids, pair_key(stack, set), sample);
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

void plain_scale(struct plain_profile *profile, size_t type, double factor)
{
    assert(type < profile->type_count);
    for (size_t i = 0; i < profile->samples.count; i++) {
        int64_t *value = &profile->samples.values[i * profile->type_count + type];
        double scaled = (double)*value * factor;
        *value = !(scaled < 0x1p63)    ? INT64_MAX
                 : !(scaled > -0x1p63) ? INT64_MIN
                                       : llround(scaled);
    }
}
