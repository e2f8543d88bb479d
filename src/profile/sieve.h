// SPDX-License-Identifier: MIT
// A filter at work on one moment, and what it lets through as costs of nodes.
#pragma once

#include <stdbool.h>

#include "profile/filter.h"
#include "profile/moment.h"
#include "profile/rows.h"

struct sieve;

// Borrows moment and filter. RC_USAGE as filter_check.
enum rc sieve_new(const struct moment *moment, const struct filter *filter, struct sieve **sieve,
                  struct err *err) MUST_CHECK;
void sieve_free(struct sieve *sieve);

bool sieve_takes(const struct sieve *sieve, uint32_t stack, uint32_t thread,
                 enum profile_state state);

// The same, whatever the state.
bool sieve_takes_stack(const struct sieve *sieve, uint32_t stack, uint32_t thread);

// Calls visit with each cost of the window that passes, more than once for the same stack.
void sieve_each(const struct sieve *sieve, enum rows_window window,
                void (*visit)(void *context, uint32_t stack, uint32_t thread, struct cost cost),
                void *context);

struct sums { // costs of nodes
    struct cost *nodes; // [node], owned
    size_t count;
    struct cost all;    // of all nodes
};

// What each node has as leaf.
void sums_init(struct sums *sums, const struct sieve *sieve, enum rows_window window);
void sums_fini(struct sums *sums);

// Adds to each node what lies below it.
void sums_accumulate(struct sums *sums, const struct profile *profile);

// What rows_percent counts by.
uint64_t sums_measure(struct cost cost, enum rows_measure measure);
