// SPDX-License-Identifier: MIT
#include "serve/target_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/target.h"

// Of waits before it began nobody knows where the threads were.
void target_report_begin(struct serve_target *target)
{
    struct queue_wait before[LATENCY_BUCKETS];
    history_take_queue_waits(target->history, before);
    if (!target->report)
        target->report = xcalloc(1, sizeof *target->report);
    target->report->runs++;
    target->report->going_on++;
}

static void end_texts(struct runner_report *report)
{
    for (size_t i = 0; i < ARRAY_LENGTH(report->delays); i++)
        for (size_t j = 0; j < LATENCY_BUCKETS; j++) {
            char *function = report->delays[i].exemplars[j].function;
            function[sizeof report->delays[i].exemplars[j].function - 1] = '\0';
        }
    for (size_t i = 0; i < REPORT_THREADS; i++) {
        struct report_thread *thread = &report->threads[i];
        thread->ran[REPORT_FUNCTION - 1] = thread->waited[REPORT_FUNCTION - 1] = '\0';
    }
}

// Who is preempted waits where it runs, and who is woken where it slept.
static const char *function_of(const struct runner_report *report, const struct queue_wait *wait)
{
    for (size_t i = 0; i < REPORT_THREADS && wait->tid; i++)
        if (report->threads[i].tid == wait->tid)
            return wait->woken ? report->threads[i].waited : report->threads[i].ran;
    return "";
}

static void show_queue(struct serve_target *target)
{
    struct queue_wait waits[LATENCY_BUCKETS];
    history_take_queue_waits(target->history, waits);
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        struct exposition_exemplar *exemplar = &target->report->queue[i];
        const char *function = function_of(&target->report->now, &waits[i]);
        if (!*function)
            continue;
        snprintf(exemplar->function, sizeof exemplar->function, "%s", function);
        exemplar->ns = (int64_t)waits[i].mean;
        exemplar->wall = waits[i].wall;
    }
}

void target_report_take(struct serve_target *target, int memory)
{
    struct runner_report report;
    if (!target->report || memory < 0 ||
        pread(memory, &report, sizeof report, 0) != sizeof report)
        return;
    end_texts(&report);
    target->report->now = report;
    show_queue(target);
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
