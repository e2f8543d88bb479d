// SPDX-License-Identifier: MIT
// A measure says which of the values of a sample views and writers show: the number of samples, and
// one other value. Wall time counts by the label "state"; all else counts as struct cost's cpu_ns,
// also where it is no time. Values below 0 (in a difference of two profiles) count as nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "profile/cost.h"
#include "profile/plain.h"
#include "profile/types.h"

struct measure {
    const struct plain_profile *profile; // borrowed
    const struct profile_type *of;       // NULL: it is of none of ours
    size_t count, main; // numbers of types; count: that of samples, main: shown first
    const char *type, *unit; // of the main one
    bool counted; // there is a number of samples beside it
    bool wall;    // by state
    bool time;    // its unit is nanoseconds
    bool ours;    // it is cpu or wall time, as ptprof measures it
    size_t pair;  // of two profiles: how many values each has; 0: it is one
    const double *factors; // [value]: of the first profile, before they are compared; NULL: none
};

struct measure measure_of(const struct plain_profile *profile);
struct measure measure_numbered(const struct plain_profile *profile, size_t type);

// Finds the measure of the value with this name, or else of the profile type with this name; false
// when the profile has neither. Values of two types may have the same names.
bool measure_named(const struct plain_profile *profile, const char *type, struct measure *measure);

// Says whether the sample has any of it.
bool measure_has(const struct measure *measure, uint32_t sample);

struct cost measure_cost(const struct measure *measure, uint32_t sample);

// Returns the same for a caller that knows the state.
struct cost measure_cost_in(const struct measure *measure, uint32_t sample,
                            enum profile_state state);

// Returns the cost of all samples.
struct cost measure_all(const struct measure *measure);
