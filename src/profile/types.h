// SPDX-License-Identifier: MIT
// The table of profile types. Values are called as Go's runtime/pprof calls them and stand in its
// order, because pprof, Parca and Pyroscope tell profiles apart by these names.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain_profile;

#define PROFILE_VALUES_MAX 4

enum profile_kind {
    PROFILE_CPU,
    PROFILE_WALL,
    PROFILE_BLOCK,
    PROFILE_MUTEX,
    PROFILE_THREADS, // one look at all threads, which Go calls goroutine
    PROFILE_THREADCREATE,
    PROFILE_TRACE, // not a profile but a timeline: it has no values
    PROFILE_HEAP,
    PROFILE_ALLOCS,
    PROFILE_KINDS,
};

struct value_type {
    const char *type, *unit;
};

struct profile_type {
    const char *name;
    size_t count, main; // of the values; which of them is shown first
    struct value_type values[PROFILE_VALUES_MAX];
    struct value_type period_type;
    int64_t period;    // 0: it follows from the rate of the run
    const char *label; // that samples have beside those of their thread; NULL: none
    unsigned states;   // set of 1 << STATE_CPU and so on: which values of a store are of the type
};

extern const struct profile_type profile_types[]; // [enum profile_kind]

#define PROFILE_BIT(kind) (1u << (kind)) // in a set of types

// Says whether samples of the type have the label "state".
bool profile_type_by_state(const struct profile_type *type);

// Says whether samples of the type have the labels "lock" and "side".
bool profile_type_by_lock(const struct profile_type *type);

// Returns the first type that mainly has this value, or NULL.
const struct profile_type *profile_type_of(const char *type, const char *unit);

// Returns the type with that name, or NULL.
const struct profile_type *profile_type_named(const char *name);

// Adds the values of the type to a profile without samples. The first type that a profile gets
// says which value is shown first and what its period is.
void profile_type_add(const struct profile_type *type, struct plain_profile *profile);
