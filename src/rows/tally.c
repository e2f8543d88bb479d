// SPDX-License-Identifier: MIT
#include "rows/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/units.h"
#include "profile/plain_frame.h"
#include "profile/plain_tags.h"

#define NOWHERE "(none)" // what has no such label, or is in no module

struct tally_span { // keys of a location
    size_t first, count;
};

struct tallying {
    struct tally_keys *keys;
    const struct plain_profile *profile; // the part
    size_t value, samples; // numbers of types
    bool counted;          // there is one of samples
    const char **units;    // of labels, as plain_tags_units
    struct tally_row *rows;
    struct tally_span *locations;
    uint32_t *frames; // [span]: keys, innermost function first
    size_t frame_count, frame_capacity;
    uint32_t *seen; // [key]: the last stack that it was counted in
};

void tally_keys_init(struct tally_keys *keys, enum tally_by by, const char *label)
{
    *keys = (struct tally_keys){.by = by, .label = label};
    strtab_init(&keys->texts);
}

void tally_keys_fini(struct tally_keys *keys)
{
    strtab_fini(&keys->texts);
    free(keys->modules);
}

static uint32_t key_of(struct tally_keys *keys, const char *text, const char *module)
{
    uint32_t key = strtab_add(&keys->texts, text);
    for (; keys->count <= key; keys->count++) {
        ARRAY_RESERVE(keys->modules, keys->count, keys->capacity);
        keys->modules[keys->count] = 0;
    }
    if (!keys->modules[key] && *module)
        keys->modules[key] = strtab_add(&keys->texts, module);
    return key;
}

static uint32_t key_of_frame(struct tally_keys *keys, const struct plain_frame *frame)
{
    return keys->by == TALLY_FUNCTION ? key_of(keys, frame->name, frame->module)
                                      : key_of(keys, *frame->module ? frame->module : NOWHERE, "");
}

static uint32_t key_of_labels(const struct tallying *tallying, uint32_t set)
{
    const struct plain_profile *profile = tallying->profile;
    const struct plain_label *label = plain_label(profile, set, tallying->keys->label);
    if (!label)
        return key_of(tallying->keys, NOWHERE, "");
    if (label->text)
        return key_of(tallying->keys, plain_string(profile, label->text), "");
    AUTO_BUF struct buf number = {0};
    units_label(&number, label->number, tallying->units[label->key], UNITS_AUTO);
    return key_of(tallying->keys, number.data, "");
}

static bool is_of_samples(const char *type)
{
    size_t length = strlen(type);
    return strcmp(type, "samples") == 0 || // the second is that of events of perf
           (length > 7 && strcmp(type + length - 7, "_sample") == 0);
}

static bool is_count(const struct plain_profile *profile, size_t type)
{
    return strcmp(plain_string(profile, profile->types[type].unit), "count") == 0;
}

bool tally_samples(const struct tally_source *source, size_t *samples)
{
    const struct plain_profile *profile = source->whole;
    *samples = source->value;
    for (size_t i = source->value; i-- > 0 && *samples == source->value;)
        if (is_count(profile, i))
            *samples = i;
    return is_of_samples(plain_string(profile, profile->types[*samples].type)) &&
           (profile->type_count > 1 || profile->period_type.type || profile->duration > 0);
}

// --- sums ---

static int64_t sum(int64_t a, int64_t b)
{
    int64_t both;
    if (__builtin_add_overflow(a, b, &both))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return both;
}

static void add(struct tally_sums *sums, const struct tally_sums *more)
{
    sums->value = sum(sums->value, more->value);
    sums->samples = sum(sums->samples, more->samples);
    sums->squares += more->squares;
}

static struct tally_sums sums_of(const struct tallying *tallying,
                                 const struct plain_profile *profile, uint32_t sample)
{
    const int64_t *values = plain_values(profile, sample);
    struct tally_sums sums = {.value = values[tallying->value]};
    if (tallying->counted && values[tallying->samples] > 0) {
        sums.samples = values[tallying->samples];
        sums.squares = (double)sums.value * (double)sums.value / (double)sums.samples;
    }
    return sums;
}

static struct tally_sums sums_of_all(const struct tallying *tallying,
                                     const struct plain_profile *whole)
{
    struct tally_sums all = {0};
    for (uint32_t i = 0; i < whole->samples.count; i++) {
        struct tally_sums sums = sums_of(tallying, whole, i);
        if (sums.value < 0)
            sums.value = sums.value == INT64_MIN ? INT64_MAX : -sums.value;
        add(&all, &sums);
    }
    return all;
}

// --- rows ---

static void find_frames(struct tallying *tallying)
{
    size_t count = tallying->profile->code.location_count;
    tallying->locations = xcalloc(count + 1, sizeof *tallying->locations);
    for (uint32_t i = 0; i < count; i++) {
        struct tally_span *span = &tallying->locations[i];
        span->first = tallying->frame_count;
        span->count = plain_frame_count(tallying->profile, i);
        for (size_t k = 0; k < span->count; k++) {
            struct plain_frame frame = plain_frame(tallying->profile, i, k);
            ARRAY_RESERVE(tallying->frames, tallying->frame_count, tallying->frame_capacity);
            tallying->frames[tallying->frame_count++] = key_of_frame(tallying->keys, &frame);
        }
    }
}

static void count_stack(struct tallying *tallying, uint32_t leaf, const struct tally_sums *sums)
{
    const struct plain_node *nodes = tallying->profile->stacks.nodes;
    for (uint32_t at = leaf; at; at = nodes[at].parent) {
        struct tally_span span = tallying->locations[nodes[at].location];
        for (size_t i = 0; i < span.count; i++) {
            uint32_t key = tallying->frames[span.first + i];
            if (at == leaf && i == 0)
                add(&tallying->rows[key].self, sums);
            if (tallying->seen[key] != leaf)
                add(&tallying->rows[key].total, sums);
            tallying->seen[key] = leaf;
        }
    }
}

static size_t make_rows(struct tallying *tallying)
{
    size_t count = tallying->keys->texts.count;
    tallying->rows = xcalloc(count + 1, sizeof *tallying->rows);
    tallying->seen = xcalloc(count + 1, sizeof *tallying->seen);
    return count;
}

static size_t count_stacks(struct tallying *tallying)
{
    const struct plain_profile *profile = tallying->profile;
    AUTO_FREE struct tally_sums *leaves = xcalloc(profile->stacks.count, sizeof *leaves);
    find_frames(tallying);
    size_t count = make_rows(tallying);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct tally_sums sums = sums_of(tallying, profile, i);
        add(&leaves[profile->samples.list[i].stack], &sums);
    }
    for (uint32_t node = 1; node < profile->stacks.count; node++)
        if (leaves[node].value || leaves[node].samples)
            count_stack(tallying, node, &leaves[node]);
    return count;
}

static size_t count_labels(struct tallying *tallying)
{
    const struct plain_profile *profile = tallying->profile;
    AUTO_FREE uint32_t *keys = xcalloc(profile->samples.count + 1, sizeof *keys);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        keys[i] = key_of_labels(tallying, profile->samples.list[i].labels);
    size_t count = make_rows(tallying);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct tally_sums sums = sums_of(tallying, profile, i);
        add(&tallying->rows[keys[i]].self, &sums);
        add(&tallying->rows[keys[i]].total, &sums);
    }
    return count;
}

void tally_init(struct tallied *tally, struct tally_keys *keys,
                const struct tally_source *source)
{
    struct tallying tallying = {.keys = keys, .profile = source->part, .value = source->value};
    tallying.counted = tally_samples(source, &tallying.samples);
    tallying.units = plain_tags_units(source->part);
    tally->all = sums_of_all(&tallying, source->whole);
    tally->count = keys->by == TALLY_LABEL ? count_labels(&tallying) : count_stacks(&tallying);
    tally->rows = tallying.rows;
    free(tallying.units);
    free(tallying.locations);
    free(tallying.frames);
    free(tallying.seen);
}

void tally_fini(struct tallied *tally)
{
    free(tally->rows);
    *tally = (struct tallied){0};
}
