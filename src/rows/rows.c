// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include "base/figures.h"
#include "rows/selection.h"

const int rows_window_seconds[] = {
    [WINDOW_1S] = 1,
    [WINDOW_5S] = 5,
    [WINDOW_30S] = 30,
    [WINDOW_ALL] = 0,
};

const char *const rows_window_names[] = {
    [WINDOW_1S] = "1s", [WINDOW_5S] = "5s", [WINDOW_30S] = "30s", [WINDOW_ALL] = "all", NULL,
};

const char *const rows_sort_names[] = {
    [SORT_SELF] = "self",
    [SORT_TOTAL] = "total",
    [SORT_SELF_TIME] = "self-time",
    [SORT_TOTAL_TIME] = "total-time",
    [SORT_SAMPLES] = "samples",
    [SORT_THREADS] = "threads",
    [SORT_FUNCTION] = "function",
    [SORT_MODULE] = "module",
    NULL,
};

const char *const rows_group_names[] = {
    [GROUP_ALL] = "merged",
    [GROUP_NAME] = "by name",
    [GROUP_TID] = "by thread",
    NULL,
};

struct rows_span rows_span(const struct rows_query *query)
{
    if (query->span.seconds)
        return query->span;
    return (struct rows_span){.seconds = (size_t)rows_window_seconds[query->window]};
}

enum rows_measure rows_measure(const struct rows_query *query)
{
    return !rows_span(query).seconds || query->filter.type ? MEASURE_TIME : MEASURE_SAMPLES;
}

double rows_percent(enum rows_measure measure, struct cost part, struct cost all)
{
    return figures_percent(sums_measure(part, measure), sums_measure(all, measure));
}
