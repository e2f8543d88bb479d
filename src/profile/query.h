// SPDX-License-Identifier: MIT
// The store as rows, which the summary prints, and its totals. Nothing is changed but the
// symbolizer's memory. All texts are borrowed from the modules and the symbolizer, and are raw
// bytes of the target: escape them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/cost.h"
#include "profile/store.h"
#include "symbol/symbolizer.h"
#include "target/module.h"

struct query_source { // all borrowed
    const struct profile *profile;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    bool idle; // wall time, not CPU time
};

// The value is of the time that is asked for, and not empty.
bool query_takes(const struct query_source *source, const struct profile_value *value);

struct flat_row { // one function of one module
    const char *function;
    const char *module; // last component of its path
    bool unnamed;       // as struct function's
    bool inlined;       // it was never seen but inlined into another function
    struct cost self;   // it was the leaf
    struct cost total;  // it was anywhere in the stack, counted once however often
};

struct flat {
    struct flat_row *rows; // most self time first, at most as many as were asked for
    size_t row_count;
    size_t function_count; // of the whole profile
    struct cost all;       // of the whole profile: what 100 % is
    struct names *names;   // which hold some of the texts
};

// Asks for the names of all that the store holds. To fetch them at once costs far less than one
// location at a time.
void query_want(const struct query_source *source);
void query_fetch(const struct query_source *source);

// The `top` hottest functions. Equal self times: by total time, samples and then name, so that the
// same profile gives the same rows. Inlined functions count like any other.
void query_flat(const struct query_source *source, size_t top, struct flat *flat);
void flat_fini(struct flat *flat);

// The line of the frame that stands for a stack of which the store's bound left nothing.
extern const struct symbol_line query_folded;

// All of it.
struct cost query_all(const struct query_source *source);

// part of whole in percent; 0 of nothing is 0.
double query_percent(uint64_t part, uint64_t whole);
