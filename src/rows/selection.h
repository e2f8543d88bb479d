// SPDX-License-Identifier: MIT
// A selection is the samples of a moment that a filter takes; sums are what they cost by node.
#pragma once

#include <stdbool.h>

#include "profile/measure.h"
#include "rows/filter.h"
#include "rows/moment.h"
#include "rows/rows.h"

struct selection;

// The selection borrows moment and filter. RC_USAGE as filter_check, and when the profile has no
// such type.
enum rc selection_new(const struct moment *moment, const struct filter *filter,
                      struct selection **selection, struct err *err) MUST_CHECK;
void selection_free(struct selection *selection);

struct pick { // what a sample has in a window
    uint32_t sample, stack, thread;
    enum profile_state state;
    bool idle; // it is a wait for work
    struct cost cost;
};

// Returns the sample as one that has nothing.
struct pick selection_pick(const struct selection *selection, uint32_t sample);

// Says whether the filter takes what slices have of the sample.
bool selection_takes(const struct selection *selection, const struct pick *pick);

// Says the same whatever the type of the values.
bool selection_takes_stack(const struct selection *selection, const struct pick *pick);

// Calls visit with all of the span that passes, more than once for the same sample.
void selection_each(const struct selection *selection, struct rows_span span,
                    void (*visit)(void *context, const struct pick *pick), void *context);

// Returns the measure of the type that the filter asks for.
const struct measure *selection_measure(const struct selection *selection);

// Returns what is 100 %, when `all` is the sum of what passes.
struct cost selection_whole(const struct selection *selection, struct cost all);

struct sums { // costs of nodes
    struct cost *nodes; // [node], owned
    size_t count;
    struct cost all;    // of all nodes
};

// Sums up what each node has as leaf.
void sums_init(struct sums *sums, const struct selection *selection, struct rows_span span);
void sums_fini(struct sums *sums);

// Adds to each node what lies below it.
void sums_accumulate(struct sums *sums, const struct plain_profile *profile);

// Returns the number that rows_percent counts by; without its sign, for orders; and what a cell of
// a flame graph is as wide as.
int64_t sums_measure(struct cost cost, enum rows_measure measure);
int64_t sums_rank(struct cost cost, enum rows_measure measure);
int64_t sums_size(struct cost cost, enum rows_measure measure);

// Returns what decides which line of a function is named: that with most samples, if they are
// counted.
int64_t sums_line(const struct selection *selection, struct cost cost);
