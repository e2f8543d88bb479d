// SPDX-License-Identifier: MIT
#include "profile/measure.h"

#include <string.h>

#include "profile/plain_scale.h"

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

// The count that belongs to a type stands before it, as that of objects before their bytes; a count
// has none but itself.
static bool count_type(const struct plain_profile *profile, size_t main, size_t *count)
{
    for (*count = main; strcmp(unit_text(profile, *count), "count") != 0; --*count)
        if (!*count) {
            *count = main;
            return false;
        }
    return true;
}

struct measure measure_numbered(const struct plain_profile *profile, size_t main)
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
    return measure_numbered(profile, main_type(profile));
}

bool measure_named(const struct plain_profile *profile, const char *type, struct measure *measure)
{
    for (size_t i = profile->type_count; i-- > 0;)
        if (strcmp(type_text(profile, i), type) == 0) {
            *measure = measure_numbered(profile, i);
            return true;
        }
    for (size_t i = 0; i < profile->type_count; i++)
        if (strcmp(plain_string(profile, profile->types[i].of), type) == 0) {
            *measure = measure_numbered(profile, i + profile_type_named(type)->main);
            return true;
        }
    return false;
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

// Returns the values of both profiles; of a single one the other has nothing.
static void values_of(const struct measure *measure, const int64_t *values, size_t type,
                      int64_t both[2])
{
    both[0] = measure->factors ? plain_scaled(values[type], measure->factors[type]) : values[type];
    both[1] = measure->pair ? values[type + measure->pair] : 0;
}

static int64_t change(const int64_t both[2])
{
    int64_t change;
    return !__builtin_sub_overflow(both[0], both[1], &change) ? change
           : both[0] < 0                                       ? INT64_MIN
                                                               : INT64_MAX;
}

struct cost measure_cost_in(const struct measure *measure, uint32_t sample,
                            enum profile_state state)
{
    if (!measure->profile->type_count)
        return (struct cost){0};
    int64_t main[2], count[2] = {0, 0};
    const int64_t *values = plain_values(measure->profile, sample);
    values_of(measure, values, measure->main, main);
    if (measure->counted)
        values_of(measure, values, measure->count, count);
    struct cost cost = cost_make(measure->wall ? state : STATE_CPU, change(count), change(main));
    cost.size = cost_sum(cost_size(main[0]), cost_size(main[1]));
    return cost;
}

struct cost measure_all(const struct measure *measure)
{
    struct cost all = {0};
    for (uint32_t i = 0; i < measure->profile->samples.count; i++)
        cost_add(&all, measure_cost(measure, i));
    return all;
}
