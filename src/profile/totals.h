// SPDX-License-Identifier: MIT
// Totals are what the functions of a plain profile have. Texts are borrowed from the profile.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "profile/cost.h"
#include "profile/measure.h"

struct total_row {  // one function of one module
    const char *function;
    const char *module; // last component of its path
    bool unnamed;       // as struct plain_frame's
    bool inlined;       // it was never seen but inlined into another function
    struct cost self;   // it was the leaf
    struct cost total;  // it was anywhere in the stack, counted once however often
};

struct totals {
    struct total_row *rows; // most self time first, at most as many as were asked for
    size_t count;
    size_t function_count;  // of the whole profile
    struct cost all;        // of the whole profile: what 100 % is
};

// Finds the `top` hottest functions. Functions with equal self times stand in the order of samples,
// total time and then name, so that the same profile gives the same rows. Inlined functions count
// like any other.
void totals_init(struct totals *totals, const struct measure *measure, size_t top);
void totals_fini(struct totals *totals);
