// SPDX-License-Identifier: MIT
#include "monitor/snapshot_json.h"

#include <stdio.h>

#include "output/json.h"

#define SCHEMA 1

static void put_header(struct json *json, const struct snapshot *snapshot)
{
    json_number(json, "schema", SCHEMA);
    json_number(json, "pid", snapshot->pid);
    json_text(json, "comm", snapshot->comm);
    json_text(json, "command_line", snapshot->command_line);
    json_number(json, "uptime_ns", snapshot->uptime);
    json_number(json, "elapsed_ns", snapshot->elapsed);
    json_number(json, "time_ns", snapshot->taken);
    json_text(json, "end", snapshot->end == TARGET_ENDED ? "ended" : "running");
}

static void put_quality(struct json *json, const struct snapshot *snapshot)
{
    json_decimal(json, "rate_hz", snapshot->rate, 3);
    json_decimal(json, "achieved_hz", snapshot->achieved, 3);
    json_count(json, "samples", snapshot->counts[COUNTER_SAMPLES]);
    json_count(json, "dropped", snapshot->counts[COUNTER_DROPPED]);
    json_decimal(json, "late_percent", snapshot->late, 2);
    json_decimal(json, "failed_percent", snapshot->failed, 2);
    json_decimal(json, "cut_percent", snapshot->cut, 2);
    for (enum counter i = COUNTER_HELD_P50; i <= COUNTER_HELD_MAX; i++)
        json_count(json, counters[i].key, snapshot->counts[i]);
    json_decimal(json, "overhead_percent", snapshot->overhead, 3);
    json_text(json, "verdict", overhead_names[snapshot->verdict]);
}

static void put_load(struct json *json, const struct snapshot *snapshot)
{
    json_decimal(json, "cpu_percent", snapshot->cpu_percent, 1);
    json_count(json, "rss_bytes", snapshot->rss);
    json_begin(json, "states", '{');
    for (size_t i = 0; i < snapshot->state_count; i++)
        json_count(json, (char[]){snapshot->states[i].state, '\0'}, snapshot->states[i].count);
    json_end(json, '{');
}

static void put_function(struct json *json, const struct function_row *row,
                         const struct function_rows *rows, const struct rows_query *query)
{
    enum rows_measure measure = rows_measure(query);
    json_begin(json, NULL, '{');
    output_json_function(json, row->function->name, row->function->unnamed);
    json_text(json, "module", row->function->module);
    json_bool(json, "inlined", row->inlined);
    json_text(json, "file", row->file);
    json_count(json, "line", row->line);
    json_decimal(json, "self_percent", rows_percent(measure, row->self, rows->all), 3);
    json_decimal(json, "total_percent", rows_percent(measure, row->total, rows->all), 3);
    if (filter_is_wall(&query->filter)) {
        output_json_wall(json, "self_wall", row->self);
        output_json_wall(json, "total_wall", row->total);
    }
    if (filter_is_delay(&query->filter)) {
        json_count(json, "self_delay_ns", cost_ns(row->self));
        json_count(json, "total_delay_ns", cost_ns(row->total));
        json_text(json, "waits_for", row->wait);
        json_text(json, "lock", row->lock);
    }
    json_count(json, "self_samples", row->self.samples);
    json_count(json, "total_samples", row->total.samples);
    if (!filter_is_delay(&query->filter)) {
        json_count(json, "self_cpu_ns", row->self_all.cpu_ns);
        json_count(json, "total_cpu_ns", row->total_all.cpu_ns);
    }
    json_count(json, "threads", row->threads);
    json_end(json, '{');
}

static void put_thread(struct json *json, const struct thread_row *row, bool cpu_known,
                       const struct rows_query *query)
{
    json_begin(json, NULL, '{');
    json_number(json, "pid", row->pid);
    json_number(json, "tid", row->tid);
    json_text(json, "name", row->name);
    json_text(json, "state", (char[]){row->state, '\0'});
    json_text(json, "where", row->where ? row->where->name : "");
    json_text(json, "wait", row->wait);
    json_number(json, "owner", row->owner);
    if (filter_is_wall(&query->filter))
        output_json_wall(json, "wall", row->cost);
    if (filter_is_delay(&query->filter))
        json_count(json, "delay_ns", cost_ns(row->cost));
    json_bool(json, "ended", row->ended);
    if (cpu_known)
        json_decimal(json, "cpu_percent", row->cpu_percent, 1);
    else
        json_null(json, "cpu_percent");
    json_count(json, "samples", row->cost.samples);
    json_number(json, "held_ns", row->held_ns);
    json_end(json, '{');
}

static void put_window(struct json *json, const struct rows_query *query)
{
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%zus", query->span.seconds);
    json_text(json, "window", query->span.seconds ? seconds : rows_window_names[query->window]);
}

static enum rc put_functions(struct json *json, const struct snapshot *snapshot,
                             const struct rows_query *query, size_t most, struct err *err)
{
    struct function_rows rows;
    enum rc rc = rows_functions(&snapshot->moment, query, &rows, err);
    if (rc != RC_OK)
        return rc;
    json_text(json, "type", profile_types[filter_kind(&query->filter)].name);
    json_text(json, "time", profile_types[filter_kind(&query->filter)].name);
    if (filter_is_wall(&query->filter))
        output_json_wall(json, "window_wall", rows.all);
    if (filter_is_delay(&query->filter))
        json_count(json, "window_delay_ns", cost_ns(rows.all));
    put_window(json, query);
    json_count(json, "window_samples", rows.all.samples);
    json_begin(json, "functions", '[');
    for (size_t i = 0; i < rows.count && most; i++)
        if (rows.rows[i].total.samples) {
            put_function(json, &rows.rows[i], &rows, query);
            most--;
        }
    json_end(json, '[');
    function_rows_fini(&rows);
    return RC_OK;
}

static enum rc put_threads(struct json *json, const struct snapshot *snapshot,
                           const struct rows_query *query, struct err *err)
{
    struct thread_rows rows;
    enum rc rc = rows_threads(&snapshot->moment, query, &rows, err);
    if (rc != RC_OK)
        return rc;
    json_begin(json, "threads", '[');
    for (size_t i = 0; i < rows.count; i++)
        put_thread(json, &rows.rows[i], rows.cpu_known, query);
    json_end(json, '[');
    thread_rows_fini(&rows);
    return RC_OK;
}

enum rc snapshot_json(struct buf *out, const struct snapshot *snapshot,
                      const struct rows_query *query, size_t most, struct err *err)
{
    struct json json = {.out = out};
    json_begin(&json, NULL, '{');
    put_header(&json, snapshot);
    put_quality(&json, snapshot);
    put_load(&json, snapshot);
    enum rc rc = put_functions(&json, snapshot, query, most, err);
    if (rc == RC_OK)
        rc = put_threads(&json, snapshot, query, err);
    json_end(&json, '{');
    buf_putc(out, '\n');
    return rc;
}
