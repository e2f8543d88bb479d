// SPDX-License-Identifier: MIT
#include "profile/types.h"

#include <string.h>

#include "profile/plain.h"
#include "profile/store.h"

#define CONTENTIONS {"contentions", "count"}, {"delay", "nanoseconds"}
#define MEMORY                                                                                     \
    {"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"},              \
        {"inuse_space", "bytes"}

#define LOCK "lock"
#define STATE "state"
#define SPACE_BETWEEN 524288 // bytes allocated between two samples, as Go does by itself

const struct profile_type profile_types[] = {
    [PROFILE_CPU] = {"cpu", 2, 1, {{"samples", "count"}, {"cpu", "nanoseconds"}},
                     {"cpu", "nanoseconds"}, 0, NULL, 1 << STATE_CPU},
    [PROFILE_WALL] = {"wall", 2, 1, {{"samples", "count"}, {"wall", "nanoseconds"}},
                      {"wall", "nanoseconds"}, 0, STATE,
                      1 << STATE_RUNNING | 1 << STATE_QUEUED | 1 << STATE_BLOCKED},
    [PROFILE_BLOCK] = {"block", 2, 1, {CONTENTIONS}, {"contentions", "count"}, 1, "wait",
                       1 << STATE_DELAYED},
    [PROFILE_MUTEX] = {"mutex", 2, 1, {CONTENTIONS}, {"contentions", "count"}, 1, LOCK,
                       1 << STATE_DELAYED | 1 << STATE_HOLDING},
    [PROFILE_THREADS] = {"threads", 1, 0, {{"goroutine", "count"}}, {"goroutine", "count"}, 1,
                         NULL, 0},
    [PROFILE_THREADCREATE] = {"threadcreate", 1, 0, {{"threadcreate", "count"}},
                              {"threadcreate", "count"}, 1, NULL, 0},
    [PROFILE_TRACE] = {"trace", 0, 0, {{NULL, NULL}}, {NULL, NULL}, 0, NULL, 0},
    [PROFILE_HEAP] = {"heap", 4, 3, {MEMORY}, {"space", "bytes"}, SPACE_BETWEEN, "bytes", 0},
    [PROFILE_ALLOCS] = {"allocs", 4, 1, {MEMORY}, {"space", "bytes"}, SPACE_BETWEEN, "bytes", 0},
};

bool profile_type_by_state(const struct profile_type *type)
{
    return type->label && strcmp(type->label, STATE) == 0;
}

bool profile_type_by_lock(const struct profile_type *type)
{
    return type->label && strcmp(type->label, LOCK) == 0;
}

const struct profile_type *profile_type_of(const char *type, const char *unit)
{
    for (const struct profile_type *row = profile_types; row < profile_types + PROFILE_KINDS; row++)
        if (row->count && strcmp(row->values[row->main].type, type) == 0 &&
            strcmp(row->values[row->main].unit, unit) == 0)
            return row;
    return NULL;
}

const struct profile_type *profile_type_named(const char *name)
{
    for (const struct profile_type *row = profile_types; row < profile_types + PROFILE_KINDS; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static struct plain_type text_of(struct plain_profile *profile, struct value_type type)
{
    return (struct plain_type){.type = plain_text(profile, type.type),
                               .unit = plain_text(profile, type.unit)};
}

void profile_type_add(const struct profile_type *type, struct plain_profile *profile)
{
    bool first = !profile->type_count;
    for (size_t i = 0; i < type->count; i++) {
        plain_add_type(profile, type->values[i].type, type->values[i].unit);
        profile->types[profile->type_count - 1].of = plain_text(profile, type->name);
    }
    if (!first)
        return;
    profile->default_type = profile->types[type->main].type;
    profile->period_type = text_of(profile, type->period_type);
    profile->period = type->period;
}
