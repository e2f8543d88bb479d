// SPDX-License-Identifier: MIT
// The samples of a moment that a filter takes, and what they come to as costs of nodes.
#pragma once

#include <stdbool.h>

#include "rows/filter.h"
#include "rows/moment.h"
#include "rows/rows.h"

struct selection;

// Borrows moment and filter. RC_USAGE as filter_check.
enum rc selection_new(const struct moment *moment, const struct filter *filter,
                      struct selection **selection, struct err *err) MUST_CHECK;
void selection_free(struct selection *selection);

// Says whether the filter takes samples of the stack in that thread and state.
bool selection_takes(const struct selection *selection, uint32_t stack, uint32_t thread,
                     enum profile_state state);

// The same, whatever the state.
bool selection_takes_stack(const struct selection *selection, uint32_t stack, uint32_t thread);

// Calls visit with each cost of the window that passes, more than once for the same stack.
void selection_each(const struct selection *selection, enum rows_window window,
                    void (*visit)(void *context, uint32_t stack, uint32_t thread,
                                  struct cost cost),
                    void *context);

struct sums { // costs of nodes
    struct cost *nodes; // [node], owned
    size_t count;
    struct cost all;    // of all nodes
};

// What each node has as leaf.
void sums_init(struct sums *sums, const struct selection *selection, enum rows_window window);
void sums_fini(struct sums *sums);

// Adds to each node what lies below it.
void sums_accumulate(struct sums *sums, const struct profile *profile);

// What rows_percent counts by.
uint64_t sums_measure(struct cost cost, enum rows_measure measure);
