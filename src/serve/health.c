// SPDX-License-Identifier: MIT
#include "serve/health.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define STEADY 0.7        // tau from which on something has grown all the time
#define STILL_GROWS 0.25  // of the slope of all, what the second half has to have
#define POINTS_LEAST 12   // readings
#define MEMORY_GROWN 0.05 // of its level; and
#define MEMORY_LEAST (8.0 * (1 << 20)) // bytes
#define THREADS_GROWN 0.1
#define THREADS_LEAST 8.0

const char *const health_words[] = {
    [HEALTH_HEALTHY] = "healthy", [HEALTH_DEGRADED] = "degraded", [HEALTH_UNHEALTHY] = "unhealthy",
};

PRINTF_LIKE(4, 5)
static void note(struct health *health, enum health_status status, const char *rule,
                 const char *format, ...)
{
    va_list arguments;
    if (health->count == HEALTH_ISSUES)
        return;
    struct health_issue *issue = &health->issues[health->count++];
    issue->status = status;
    issue->rule = rule;
    va_start(arguments, format);
    vsnprintf(issue->text, sizeof issue->text, format, arguments);
    va_end(arguments);
    if (status > health->status)
        health->status = status;
}

// Returns what a figure is that is above one of two thresholds.
static enum health_status above(double value, double warning, double critical)
{
    return value > critical ? HEALTH_UNHEALTHY : value > warning ? HEALTH_DEGRADED : HEALTH_HEALTHY;
}

static double figure_now(const struct health_facts *facts, enum metric metric)
{
    if (!facts->history || !history_count(facts->history))
        return NAN;
    uint64_t value = history_get(facts->history, 0)->values[metric];
    return value == METRIC_UNKNOWN ? NAN : (double)value;
}

// --- rules over figures now ---

static void judge_memory(const struct serve_settings *settings, const struct health_facts *facts,
                         struct health *health)
{
    double warning = settings->health.memory_warning, critical = settings->health.memory_critical;
    enum health_status status = above(facts->memory_percent, warning, critical);
    if (status != HEALTH_HEALTHY)
        note(health, status, "memory", "memory is at %.1f %% of %s (above %g %%)",
             facts->memory_percent, facts->memory_of,
             status == HEALTH_UNHEALTHY ? critical : warning);
}

static void judge_threads(const struct serve_settings *settings, const struct health_facts *facts,
                          struct health *health)
{
    double threads = figure_now(facts, METRIC_THREADS);
    double warning = (double)settings->health.threads_warning;
    double critical = (double)settings->health.threads_critical;
    enum health_status status = above(threads, warning, critical);
    if (status != HEALTH_HEALTHY)
        note(health, status, "threads", "there are %.0f threads (above %.0f)", threads,
             status == HEALTH_UNHEALTHY ? critical : warning);
}

static void judge_descriptors(const struct serve_settings *settings,
                              const struct health_facts *facts, struct health *health)
{
    double open = figure_now(facts, METRIC_DESCRIPTORS);
    double limit = figure_now(facts, METRIC_DESCRIPTORS_MOST);
    double warning = settings->health.descriptors_warning;
    double critical = settings->health.descriptors_critical;
    enum health_status status = above(100 * open / limit, warning, critical);
    if (status != HEALTH_HEALTHY && limit > 0)
        note(health, status, "descriptors", "%.0f of %.0f descriptors are open (above %g %%)", open,
             limit, status == HEALTH_UNHEALTHY ? critical : warning);
}

static void judge_deadlock(const struct health_facts *facts, struct health *health)
{
    if (facts->deadlock == HEALTH_DEADLOCK_CERTAIN)
        note(health, HEALTH_UNHEALTHY, "deadlock", "deadlock: %s", facts->deadlock_text);
    else if (facts->deadlock == HEALTH_DEADLOCK_PROBABLE)
        note(health, HEALTH_DEGRADED, "deadlock", "probably a deadlock: %s", facts->deadlock_text);
}

// --- rules over the history ---

static void find_trend(const struct serve_settings *settings, const struct health_facts *facts,
                       enum metric metric, struct trend *trend)
{
    size_t count = facts->history ? history_count(facts->history) : 0, used = 0;
    AUTO_FREE struct trend_point *points = xcalloc(count + 1, sizeof *points);
    for (size_t back = count; back-- > 0;) {
        const struct metrics *metrics = history_get(facts->history, back);
        if (metrics->values[metric] != METRIC_UNKNOWN && metrics->wall >= facts->since)
            points[used++] = (struct trend_point){.at = (double)metrics->at / NS_PER_S,
                                                  .value = (double)metrics->values[metric]};
    }
    *trend = (struct trend){0};
    if (used >= POINTS_LEAST &&
        points[used - 1].at - points[0].at >= (double)settings->health.trend / NS_PER_S)
        trend_of(points, used, trend);
}

// Returns whether it has grown, steadily and to the last.
static bool grows(const struct trend *trend, double share, double least)
{
    double more = trend->slope * trend->span;
    return trend->steady >= STEADY && trend->late_slope >= STILL_GROWS * trend->slope &&
           more >= least && more >= share * trend->level;
}

static void judge_growth(struct health *health)
{
    const struct trend *memory = &health->memory, *threads = &health->threads;
    if (grows(memory, MEMORY_GROWN, MEMORY_LEAST))
        note(health, HEALTH_DEGRADED, "memory_growth",
             "resident memory grows by %.2f MiB a minute: from %.1f to %.1f MiB in the last %.0f s "
             "(median slope of %zu readings, which rise in %.0f %% of all pairs more than they "
             "fall)",
             memory->slope * 60 / (1 << 20), memory->first / (1 << 20), memory->last / (1 << 20),
             memory->span, memory->points, 100 * memory->steady);
    if (grows(threads, THREADS_GROWN, THREADS_LEAST))
        note(health, HEALTH_DEGRADED, "thread_leak",
             "threads grow by %.2f a minute: from %.0f to %.0f in the last %.0f s (median slope of "
             "%zu readings, which rise in %.0f %% of all pairs more than they fall)",
             threads->slope * 60, threads->first, threads->last, threads->span, threads->points,
             100 * threads->steady);
}

void health_judge(const struct serve_settings *settings, const struct health_facts *facts,
                  struct health *health)
{
    *health = (struct health){.status = HEALTH_HEALTHY};
    find_trend(settings, facts, METRIC_RSS, &health->memory);
    find_trend(settings, facts, METRIC_THREADS, &health->threads);
    judge_memory(settings, facts, health);
    judge_threads(settings, facts, health);
    judge_descriptors(settings, facts, health);
    judge_deadlock(facts, health);
    judge_growth(health);
}
