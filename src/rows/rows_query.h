// SPDX-License-Identifier: MIT
// What rows are asked for.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "profile/cost.h"
#include "rows/filter.h"

#define TREND_LENGTH 8 // windows

enum rows_window { WINDOW_1S, WINDOW_5S, WINDOW_30S, WINDOW_ALL };
extern const int rows_window_seconds[];          // [enum rows_window]; of WINDOW_ALL: 0
extern const char *const rows_window_names[];    // "1s", "5s", "30s", "all"; ends in NULL

struct rows_span { // complete slices: so many, before the newest `skip`; seconds 0: all there is
    size_t seconds, skip;
};

enum rows_sort {
    SORT_SELF,       // share of the window, the function as leaf
    SORT_TOTAL,      // share of the window, anywhere in the stack
    SORT_SELF_TIME,  // since reset
    SORT_TOTAL_TIME,
    SORT_SAMPLES,    // of the window, as leaf
    SORT_THREADS,    // how many
    SORT_FUNCTION,   // by name, ascending; of threads: by their name
    SORT_MODULE,
    SORT_LINE,       // by file and line
    SORT_CPU,        // of threads
    SORT_TID,
    SORT_STATE,
    SORT_HELD,
    SORT_DELAY,      // of what was waited for: of the window, the function as leaf; of threads: all
    SORT_COUNT,
};
extern const char *const rows_sort_names[]; // of functions, up to SORT_MODULE; ends in NULL

enum rows_group { // what a tree, a flame graph and the list of threads take together
    GROUP_ALL,    // all threads. In the list of threads: each thread, as GROUP_TID
    GROUP_NAME,   // threads of a name
    GROUP_TID,    // each thread
};
extern const char *const rows_group_names[]; // "merged", "by name", "by thread"; ends in NULL

struct rows_query { // zeroed: the last second of everything, most self time first
    enum rows_window window;
    struct rows_span span; // in place of the window, unless its seconds are 0
    enum rows_sort sort;
    bool reversed;
    struct filter filter;
    enum rows_group group;
    bool inverted; // of a tree or flame graph: leaves are roots
};

// Returns what is looked at: the span, or else the window.
struct rows_span rows_span(const struct rows_query *query);

// Shares are taken of samples or of values. For the type that a profile shows first they are of
// samples in the short windows, because CPU time of seconds without a sample is told with the next
// one, and of values over all. For a type that is asked for, such as wall time, they are of values,
// because sleeping threads may be looked at more seldom than running ones.
enum rows_measure { MEASURE_SAMPLES, MEASURE_TIME };
enum rows_measure rows_measure(const struct rows_query *query);

// Returns a part of all in percent. Of two profiles side by side rows say what has changed: 100 %
// is then all that the base has, whatever the filter, orders by cost go by how much has changed, up
// or down, and threads of a name are one row, because no thread is in both. Where a profile has
// values below 0, 100 % is the sum of all without their signs.
double rows_percent(enum rows_measure measure, struct cost part, struct cost all);
