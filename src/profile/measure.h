// SPDX-License-Identifier: MIT
// What the values of a profile's samples mean for those who print one number of them: how many
// samples, and how much of what the profile is mainly of. Of wall time that goes by the label
// "state"; of all else it is struct cost's cpu_ns, also where it is no time. Values below 0 (of a
// difference of two profiles) count as nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "profile/cost.h"
#include "profile/plain.h"

struct measure {
    const struct plain_profile *profile; // borrowed
    size_t count, main; // numbers of types; count: that of samples, main: shown first
    const char *type, *unit; // of the main one
    bool counted; // there is a number of samples beside it
    bool wall;    // by state
    bool time;    // its unit is nanoseconds
    bool ours;    // it is cpu or wall time, as ptprof measures it
};

struct measure measure_of(const struct plain_profile *profile);

// That of the type with this name; false: the profile has none.
bool measure_named(const struct plain_profile *profile, const char *type, struct measure *measure);

struct cost measure_cost(const struct measure *measure, uint32_t sample);

// The same for who knows its state.
struct cost measure_cost_in(const struct measure *measure, uint32_t sample,
                            enum profile_state state);

// Of all samples.
struct cost measure_all(const struct measure *measure);
