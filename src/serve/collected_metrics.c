// SPDX-License-Identifier: MIT
// /metrics: the last readings of all targets or of one, what our own looks at them cost, and what
// was counted by them.
#include "serve/collected.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/exposition.h"
#include "serve/own_use.h"
#include "serve/target_report.h"

struct metrics_page { // of one answer
    struct exposition exposition;
    struct serve_target *const *targets;
    size_t count;
};

static struct exposition_labels labels_of(const struct serve_target *target)
{
    struct exposition_labels labels = {""};
    exposition_label(&labels, "target", target->id);
    return labels;
}

// --- what the kernel says ---

static const struct metrics *last_of(const struct serve_target *target)
{
    return !target->ended_at && history_count(target->history) ? history_get(target->history, 0)
                                                               : NULL;
}

static void put_value(const struct metrics_page *page, const struct serve_target *target,
                      const struct metric_row *row, uint64_t value)
{
    struct exposition_labels labels = labels_of(target);
    if (row->unit == METRIC_IN_NS)
        exposition_seconds(&page->exposition, &labels, row->label, value);
    else
        exposition_number(&page->exposition, &labels, row->label, value);
}

static void put_family(struct metrics_page *page, const struct metric_row *row)
{
    static const char *const units[] = {
        [METRIC_IN_ONE] = "", [METRIC_IN_NS] = "seconds", [METRIC_IN_BYTES] = "bytes"};
    AUTO_FREE char *name = xasprintf("ptprof_target_%s", row->metric);
    exposition_family(&page->exposition, name,
                      row->kind == METRIC_IS_COUNTER ? EXPOSITION_COUNTER : EXPOSITION_GAUGE,
                      units[row->unit], row->text);
}

// The samples of a family stand together: rows of one name for each target.
static void put_figures(struct metrics_page *page)
{
    for (size_t first = 0, end; first < METRIC_COUNT; first = end) {
        for (end = first + 1; end < METRIC_COUNT && !strcmp(metric_rows[end].metric,
                                                            metric_rows[first].metric); end++)
            continue;
        put_family(page, &metric_rows[first]);
        for (size_t i = 0; i < page->count; i++) {
            const struct metrics *metrics = last_of(page->targets[i]);
            for (size_t j = first; metrics && j < end; j++)
                if (metrics->values[j] != METRIC_UNKNOWN)
                    put_value(page, page->targets[i], &metric_rows[j], metrics->values[j]);
        }
    }
}

static void put_about(struct metrics_page *page)
{
    exposition_family(&page->exposition, "ptprof_target", EXPOSITION_INFO, "",
                      "What a target is");
    for (size_t i = 0; i < page->count; i++) {
        const struct serve_target *target = page->targets[i];
        struct exposition_labels labels = labels_of(target);
        char pid[16];
        snprintf(pid, sizeof pid, "%d", (int)target->pid);
        exposition_label(&labels, "pid", pid);
        exposition_label(&labels, "comm", target->facts.comm);
        if (target->facts.unit && *target->facts.unit)
            exposition_label(&labels, "unit", target->facts.unit);
        exposition_number(&page->exposition, &labels, "", 1);
    }
    exposition_family(&page->exposition, "ptprof_target_running", EXPOSITION_GAUGE, "",
                      "Whether a target lives");
    for (size_t i = 0; i < page->count; i++) {
        struct exposition_labels labels = labels_of(page->targets[i]);
        exposition_number(&page->exposition, &labels, "", !page->targets[i]->ended_at);
    }
    exposition_family(&page->exposition, "ptprof_target_restarts", EXPOSITION_COUNTER, "",
                      "Times that a process took the place of one that had ended");
    for (size_t i = 0; i < page->count; i++) {
        struct exposition_labels labels = labels_of(page->targets[i]);
        exposition_number(&page->exposition, &labels, "", page->targets[i]->restarts);
    }
}

// --- what was waited ---

static void put_queue(struct metrics_page *page)
{
    exposition_family(&page->exposition, "ptprof_target_run_queue_delay", EXPOSITION_HISTOGRAM,
                      "seconds",
                      "Waits of threads for a CPU; those of a thread between two readings count "
                      "at their mean");
    for (size_t i = 0; i < page->count; i++) {
        const struct latency *latency = history_run_queue(page->targets[i]->history);
        struct exposition_labels labels = labels_of(page->targets[i]);
        const struct target_report *report = page->targets[i]->report;
        if (latency && !page->targets[i]->ended_at)
            exposition_histogram(&page->exposition, &labels, latency,
                                 report ? report->queue : NULL);
    }
}

static void put_delays(struct metrics_page *page, size_t type)
{
    static const struct {
        const char *name, *help;
    } rows[REPORT_TYPES] = {
        {"ptprof_target_blocked_delay",
         "Waits of threads, not for work, while they are counted for the block profile; those of "
         "a stack between two reports count at their mean"},
        {"ptprof_target_lock_delay",
         "Waits of threads for locks, while they are counted for the mutex profile; those of a "
         "stack between two reports count at their mean"},
    };
    exposition_family(&page->exposition, rows[type].name, EXPOSITION_HISTOGRAM, "seconds",
                      rows[type].help);
    for (size_t i = 0; i < page->count; i++) {
        struct runner_report sum;
        struct exposition_labels labels = labels_of(page->targets[i]);
        if (target_report_sum(page->targets[i], &sum) && sum.delays[type].latency.count)
            exposition_histogram(&page->exposition, &labels, &sum.delays[type].latency,
                                 sum.delays[type].exemplars);
    }
}

// --- what looking cost ---

// "held_total_ns" is "held" in seconds.
static void put_counter(struct metrics_page *page, enum counter counter)
{
    char name[64];
    bool time = counters[counter].unit == UNIT_NS;
    const char *key = counters[counter].key, *end = strstr(key, "_total_ns");
    end = end ? end : strstr(key, "_ns");
    snprintf(name, sizeof name, "ptprof_sampling_%.*s", end ? (int)(end - key) : 40, key);
    exposition_family(&page->exposition, name, EXPOSITION_COUNTER, time ? "seconds" : "",
                      counters[counter].text);
    for (size_t i = 0; i < page->count; i++) {
        struct runner_report sum;
        struct exposition_labels labels = labels_of(page->targets[i]);
        if (!target_report_sum(page->targets[i], &sum))
            continue;
        if (time)
            exposition_seconds(&page->exposition, &labels, "", sum.counts[counter]);
        else
            exposition_number(&page->exposition, &labels, "", sum.counts[counter]);
    }
}

static void put_sampling(struct metrics_page *page)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (counters[i].kind == KIND_SUM)
            put_counter(page, (enum counter)i);
    exposition_family(&page->exposition, "ptprof_sampling_runs", EXPOSITION_COUNTER, "",
                      "Sampling runs that began");
    for (size_t i = 0; i < page->count; i++) {
        struct exposition_labels labels = labels_of(page->targets[i]);
        const struct target_report *report = page->targets[i]->report;
        exposition_number(&page->exposition, &labels, "", report ? report->runs : 0);
    }
    exposition_family(&page->exposition, "ptprof_sampling_running", EXPOSITION_GAUGE, "",
                      "Sampling runs that go on");
    for (size_t i = 0; i < page->count; i++) {
        struct exposition_labels labels = labels_of(page->targets[i]);
        const struct target_report *report = page->targets[i]->report;
        exposition_number(&page->exposition, &labels, "", report ? report->going_on : 0);
    }
}

static void put_own(const struct collector *collector, struct exposition *exposition)
{
    const struct exposition_labels none = {""};
    struct exposition_labels version = {""};
    struct own_use use = own_use_read();
    exposition_label(&version, "version", PTPROF_VERSION);
    exposition_family(exposition, "ptprof_build", EXPOSITION_INFO, "", "Which ptprof this is");
    exposition_number(exposition, &version, "", 1);
    exposition_family(exposition, "ptprof_cpu", EXPOSITION_COUNTER, "seconds",
                      "CPU time of all processes of the server");
    exposition_seconds(exposition, &none, "", use.cpu_ns);
    exposition_family(exposition, "ptprof_resident_memory", EXPOSITION_GAUGE, "bytes",
                      "Resident memory of all processes of the server, shared pages in each");
    exposition_number(exposition, &none, "", use.rss_bytes);
    exposition_family(exposition, "ptprof_processes", EXPOSITION_GAUGE, "",
                      "Processes of the server");
    exposition_number(exposition, &none, "", use.processes);
    exposition_family(exposition, "ptprof_targets", EXPOSITION_GAUGE, "",
                      "Targets that are listed");
    exposition_number(exposition, &none, "", collector->targets.count);
    http_counts_put(collector->requests, exposition);
}

enum rc collected_metrics(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err)
{
    struct metrics_page page = {.exposition = {.out = out, .open = ask->form == ASK_OPENMETRICS},
                        .targets = collector->targets.targets,
                        .count = collector->targets.count};
    struct serve_target *one = target;
    if (*ask->target && !(one = target_list_find(&collector->targets, ask->target, err)))
        return RC_GONE;
    if (one) {
        page.targets = &one;
        page.count = 1;
    } else {
        put_own(collector, &page.exposition);
    }
    put_about(&page);
    put_figures(&page);
    put_queue(&page);
    for (size_t i = 0; i < REPORT_TYPES; i++)
        put_delays(&page, i);
    put_sampling(&page);
    exposition_end(&page.exposition);
    return RC_OK;
}
