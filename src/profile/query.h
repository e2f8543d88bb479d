// SPDX-License-Identifier: MIT
// A query source is a store, the type of the values that are asked for, and what names them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/module.h"
#include "profile/cost.h"
#include "profile/store.h"
#include "profile/types.h"
#include "symbol/symbolizer.h"

struct query_source { // all borrowed
    const struct profile *profile;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    const struct profile_type *type;
    int64_t least_block; // as in struct run
    bool idle_waits;
};

// Says whether the value is of that type, and not empty.
bool query_takes(const struct query_source *source, const struct profile_value *value);

// Returns the name of the function at a location of the store (struct idle_source). context: the
// source.
const char *query_function(const void *context, uint32_t location);

// Request the names of all that the store holds, and wait for them. To fetch them together costs
// far less than one location at a time.
void query_want(const struct query_source *source);
void query_fetch(const struct query_source *source);

// This line stands for a stack of which the bound of the store left nothing.
extern const struct symbol_line query_folded;
