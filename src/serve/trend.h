// SPDX-License-Identifier: MIT
// Whether a figure has grown steadily. The slope is the median of the slopes between all pairs of
// points (Theil and Sen): up to 29 % of the points may be anything. How steadily it grew is the
// share of pairs that rise less that of those that fall (Kendall's tau).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TREND_POINTS 100 // medians of as many pieces of what is longer

struct trend_point {
    double at; // s
    double value;
};

struct trend {
    size_t points;    // that it was made of
    double span;      // s from the first to the last
    double first, last; // values
    double level;     // median of the values
    double slope;     // per s
    double steady;    // tau: 1: each is larger than all before, 0: no direction, -1
    double late_slope; // of the second half alone: growth that has ended is none
};

// Makes it of points in the order of their times; of fewer than four it is all zeros. It reorders
// nothing.
void trend_of(const struct trend_point *points, size_t count, struct trend *trend);
