// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/top_block.h"
#include "output/json.h"

#define SCHEMA 1

static void put_text(struct buf *out, const char *key, const char *text)
{
    escape_json_member(out, key, text);
    buf_putc(out, ',');
}

static void put_header(struct buf *out, const struct snapshot *snapshot)
{
    buf_printf(out, "{\"schema\":%d,\"pid\":%d,", SCHEMA, (int)snapshot->pid);
    put_text(out, "comm", snapshot->comm);
    put_text(out, "command_line", snapshot->command_line);
    buf_printf(out, "\"uptime_ns\":%" PRId64 ",\"elapsed_ns\":%" PRId64 ",\"time_ns\":%" PRId64 ",",
               snapshot->uptime, snapshot->elapsed, snapshot->taken);
    put_text(out, "end", snapshot->end == TARGET_ENDED ? "ended" : "running");
    buf_printf(out, "\"rate_hz\":%.3f,\"achieved_hz\":%.3f,\"samples\":%" PRIu64
                    ",\"dropped\":%" PRIu64 ",\"late_percent\":%.2f,\"failed_percent\":%.2f"
                    ",\"cut_percent\":%.2f,",
               snapshot->rate, snapshot->achieved, snapshot->counts[COUNTER_SAMPLES],
               snapshot->counts[COUNTER_DROPPED], snapshot->late, snapshot->failed, snapshot->cut);
    for (enum counter i = COUNTER_HELD_P50; i <= COUNTER_HELD_MAX; i++)
        buf_printf(out, "\"%s\":%" PRIu64 ",", counters[i].key, snapshot->counts[i]);
    buf_printf(out, "\"overhead_percent\":%.3f,", snapshot->overhead);
    put_text(out, "verdict", overhead_names[snapshot->verdict]);
    buf_printf(out, "\"cpu_percent\":%.1f,\"rss_bytes\":%" PRIu64 ",\"states\":{",
               snapshot->cpu_percent, snapshot->rss);
    for (size_t i = 0; i < snapshot->state_count; i++)
        buf_printf(out, "%s\"%c\":%zu", i ? "," : "", snapshot->states[i].state,
                   snapshot->states[i].count);
    buf_puts(out, "},");
}

static void put_function(struct buf *out, const struct function_row *row,
                         const struct function_rows *rows, const struct rows_query *query)
{
    enum rows_measure measure = rows_measure(query);
    buf_putc(out, '{');
    json_function(out, row->function->name, row->function->unnamed);
    buf_putc(out, ',');
    put_text(out, "module", row->function->module);
    buf_printf(out, "\"inlined\":%s,", row->inlined ? "true" : "false");
    put_text(out, "file", row->file);
    buf_printf(out, "\"line\":%" PRIu32 ",\"self_percent\":%.3f,\"total_percent\":%.3f,", row->line,
               rows_percent(measure, row->self, rows->all),
               rows_percent(measure, row->total, rows->all));
    if (filter_is_wall(&query->filter)) {
        json_wall(out, "self_wall", row->self);
        json_wall(out, "total_wall", row->total);
    }
    buf_printf(out, "\"self_samples\":%" PRIu64 ",\"total_samples\":%" PRIu64
                    ",\"self_cpu_ns\":%" PRIu64 ",\"total_cpu_ns\":%" PRIu64
                    ",\"threads\":%" PRIu32 "}",
               row->self.samples, row->total.samples, row->self_all.cpu_ns, row->total_all.cpu_ns,
               row->threads);
}

static void put_thread(struct buf *out, const struct thread_row *row, bool cpu_known,
                       const struct rows_query *query)
{
    AUTO_FREE char *cpu = cpu_known ? xasprintf("%.1f", row->cpu_percent) : xstrdup("null");
    char state[] = {row->state, '\0'};
    buf_printf(out, "{\"pid\":%d,\"tid\":%d,", (int)row->pid, (int)row->tid);
    put_text(out, "name", row->name);
    put_text(out, "state", state);
    put_text(out, "where", row->where ? row->where->name : "");
    put_text(out, "wait", row->wait);
    if (filter_is_wall(&query->filter))
        json_wall(out, "wall", row->cost);
    buf_printf(out, "\"ended\":%s,\"cpu_percent\":%s,\"samples\":%" PRIu64
                    ",\"held_ns\":%" PRId64 "}",
               row->ended ? "true" : "false", cpu, row->cost.samples, row->held_ns);
}

static enum rc put_functions(struct buf *out, const struct snapshot *snapshot,
                             const struct rows_query *query, struct err *err)
{
    struct function_rows rows;
    const char *separator = "";
    enum rc rc = rows_functions(&snapshot->moment, query, &rows, err);
    if (rc != RC_OK)
        return rc;
    put_text(out, "time", filter_is_wall(&query->filter) ? "wall" : "cpu");
    if (filter_is_wall(&query->filter))
        json_wall(out, "window_wall", rows.all);
    put_text(out, "window", rows_window_names[query->window]);
    buf_printf(out, "\"window_samples\":%" PRIu64 ",\"functions\":[", rows.all.samples);
    for (size_t i = 0; i < rows.count; i++) {
        if (!rows.rows[i].total.samples)
            continue;
        buf_puts(out, separator);
        put_function(out, &rows.rows[i], &rows, query);
        separator = ",";
    }
    buf_puts(out, "],");
    function_rows_fini(&rows);
    return RC_OK;
}

static enum rc put_threads(struct buf *out, const struct snapshot *snapshot,
                           const struct rows_query *query, struct err *err)
{
    struct thread_rows rows;
    enum rc rc = rows_threads(&snapshot->moment, query, &rows, err);
    if (rc != RC_OK)
        return rc;
    buf_puts(out, "\"threads\":[");
    for (size_t i = 0; i < rows.count; i++) {
        buf_puts(out, i ? "," : "");
        put_thread(out, &rows.rows[i], rows.cpu_known, query);
    }
    buf_puts(out, "]}\n");
    thread_rows_fini(&rows);
    return RC_OK;
}

enum rc top_block_json(struct buf *out, const struct snapshot *snapshot,
                       const struct rows_query *query, struct err *err)
{
    put_header(out, snapshot);
    enum rc rc = put_functions(out, snapshot, query, err);
    return rc == RC_OK ? put_threads(out, snapshot, query, err) : rc;
}
