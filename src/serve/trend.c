// SPDX-License-Identifier: MIT
#include "serve/trend.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEAST 4

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

// The value of a piece is the median of its values, at the middle of its time.
static size_t condense(const struct trend_point *from, size_t count, struct trend_point *to)
{
    if (count <= TREND_POINTS) {
        memcpy(to, from, count * sizeof *to);
        return count;
    }
    AUTO_FREE double *values = xcalloc(count, sizeof *values);
    for (size_t i = 0; i < TREND_POINTS; i++) {
        size_t start = i * count / TREND_POINTS, end = (i + 1) * count / TREND_POINTS;
        for (size_t k = start; k < end; k++)
            values[k - start] = from[k].value;
        to[i].at = (from[start].at + from[end - 1].at) / 2;
        to[i].value = median(values, end - start);
    }
    return TREND_POINTS;
}

// Returns the median of the slopes of all pairs, and in *steady how many more rise than fall.
static double slope_of(const struct trend_point *points, size_t count, double *steady)
{
    AUTO_FREE double *slopes = xcalloc(count * count / 2 + 1, sizeof *slopes);
    size_t pairs = 0;
    double rising = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            double more = points[k].value - points[i].value, later = points[k].at - points[i].at;
            if (later > 0) {
                slopes[pairs++] = more / later;
                rising += more > 0 ? 1 : more < 0 ? -1 : 0;
            }
        }
    *steady = pairs ? rising / (double)pairs : 0;
    return pairs ? median(slopes, pairs) : 0;
}

void trend_of(const struct trend_point *all, size_t count, struct trend *trend)
{
    struct trend_point points[TREND_POINTS];
    double values[TREND_POINTS], ignored;
    *trend = (struct trend){0};
    if (count < LEAST)
        return;
    size_t n = condense(all, count, points);
    for (size_t i = 0; i < n; i++)
        values[i] = points[i].value;
    trend->points = count;
    trend->span = all[count - 1].at - all[0].at;
    trend->first = all[0].value;
    trend->last = all[count - 1].value;
    trend->level = median(values, n);
    trend->slope = slope_of(points, n, &trend->steady);
    trend->late_slope = slope_of(points + n / 2, n - n / 2, &ignored);
}
