// SPDX-License-Identifier: MIT
#include "serve/target_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/target.h"

void target_report_begin(struct serve_target *target)
{
    if (!target->report)
        target->report = xcalloc(1, sizeof *target->report);
    target->report->runs++;
    target->report->going_on++;
}

void target_report_take(struct serve_target *target, int memory)
{
    struct runner_report report;
    if (!target->report || memory < 0 ||
        pread(memory, &report, sizeof report, 0) != sizeof report)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(report.delays); i++)
        for (size_t j = 0; j < LATENCY_BUCKETS; j++) {
            char *function = report.delays[i].exemplars[j].function;
            function[sizeof report.delays[i].exemplars[j].function - 1] = '\0';
        }
    target->report->now = report;
}

static void add(struct runner_report *sum, const struct runner_report *more)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        sum->counts[i] += counters[i].kind == KIND_SUM ? more->counts[i] : 0;
    for (size_t i = 0; i < ARRAY_LENGTH(sum->delays); i++) {
        struct report_delays *to = &sum->delays[i];
        const struct report_delays *from = &more->delays[i];
        latency_merge(&to->latency, &from->latency);
        for (size_t j = 0; j < LATENCY_BUCKETS; j++)
            if (*from->exemplars[j].function)
                to->exemplars[j] = from->exemplars[j];
    }
}

void target_report_end(struct serve_target *target)
{
    if (!target->report)
        return;
    add(&target->report->ended, &target->report->now);
    memset(&target->report->now, 0, sizeof target->report->now);
    target->report->going_on--;
}

const struct runner_report *target_report_sum(const struct serve_target *target,
                                              struct runner_report *sum)
{
    if (!target->report)
        return NULL;
    *sum = target->report->ended;
    add(sum, &target->report->now);
    return sum;
}
