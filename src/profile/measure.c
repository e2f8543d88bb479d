// SPDX-License-Identifier: MIT
#include "profile/measure.h"

#include <string.h>

static const char *type_text(const struct plain_profile *profile, size_t type)
{
    return plain_string(profile, profile->types[type].type);
}

static const char *unit_text(const struct plain_profile *profile, size_t type)
{
    return plain_string(profile, profile->types[type].unit);
}

static size_t main_type(const struct plain_profile *profile)
{
    for (size_t i = 0; profile->default_type && i < profile->type_count; i++)
        if (profile->types[i].type == profile->default_type)
            return i;
    return profile->type_count - 1;
}

// The count that belongs to a type stands before it, as that of objects before their bytes.
static bool count_type(const struct plain_profile *profile, size_t main, size_t *count)
{
    for (size_t i = main; i-- > 0;)
        if (strcmp(unit_text(profile, i), "count") == 0) {
            *count = i;
            return true;
        }
    *count = main;
    return strcmp(unit_text(profile, main), "count") == 0;
}

static struct measure measure_by(const struct plain_profile *profile, size_t main)
{
    struct measure measure = {.profile = profile, .main = main};
    measure.counted = count_type(profile, measure.main, &measure.count);
    measure.type = type_text(profile, measure.main);
    measure.unit = unit_text(profile, measure.main);
    measure.time = strcmp(measure.unit, "nanoseconds") == 0;
    uint32_t name = profile->types[main].of;
    measure.of = name ? profile_type_named(plain_string(profile, name))
                      : profile_type_of(measure.type, measure.unit);
    measure.wall = measure.of && profile_type_by_state(measure.of);
    measure.ours = measure.of && !measure.of->period;
    return measure;
}

struct measure measure_of(const struct plain_profile *profile)
{
    if (!profile->type_count)
        return (struct measure){.profile = profile, .type = "", .unit = ""};
    return measure_by(profile, main_type(profile));
}

bool measure_named(const struct plain_profile *profile, const char *type, struct measure *measure)
{
    for (size_t i = profile->type_count; i-- > 0;)
        if (strcmp(type_text(profile, i), type) == 0) {
            *measure = measure_by(profile, i);
            return true;
        }
    for (size_t i = 0; i < profile->type_count; i++)
        if (strcmp(plain_string(profile, profile->types[i].of), type) == 0) {
            *measure = measure_by(profile, i + profile_type_named(type)->main);
            return true;
        }
    return false;
}

static uint64_t amount(int64_t value)
{
    return value > 0 ? (uint64_t)value : 0;
}

static enum profile_state state_of(const struct plain_profile *profile, uint32_t labels)
{
    const struct plain_label *label = plain_label(profile, labels, "state");
    return label ? profile_state_named(plain_string(profile, label->text)) : STATE_CPU;
}

bool measure_has(const struct measure *measure, uint32_t sample)
{
    if (!measure->profile->type_count)
        return false;
    const int64_t *values = plain_values(measure->profile, sample);
    return values[measure->main] || values[measure->count];
}

struct cost measure_cost(const struct measure *measure, uint32_t sample)
{
    enum profile_state state = STATE_CPU;
    if (measure->wall)
        state = state_of(measure->profile, measure->profile->samples.list[sample].labels);
    return measure_cost_in(measure, sample, state);
}

struct cost measure_cost_in(const struct measure *measure, uint32_t sample,
                            enum profile_state state)
{
    if (!measure->profile->type_count)
        return (struct cost){0};
    const int64_t *values = plain_values(measure->profile, sample);
    return cost_make(measure->wall ? state : STATE_CPU,
                     measure->counted ? amount(values[measure->count]) : 0,
                     amount(values[measure->main]));
}

struct cost measure_all(const struct measure *measure)
{
    struct cost all = {0};
    for (uint32_t i = 0; i < measure->profile->samples.count; i++)
        cost_add(&all, measure_cost(measure, i));
    return all;
}
