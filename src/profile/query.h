// SPDX-License-Identifier: MIT
// A store with what names it: which of its values are meant, and their names.
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
};

// Says whether the value is of that type, and not empty.
bool query_takes(const struct query_source *source, const struct profile_value *value);

// Asks for the names of all that the store holds. To fetch them at once costs far less than one
// location at a time.
void query_want(const struct query_source *source);
void query_fetch(const struct query_source *source);

// The line of the frame that stands for a stack of which the store's bound left nothing.
extern const struct symbol_line query_folded;
