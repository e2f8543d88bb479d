// SPDX-License-Identifier: MIT
// One JSON document, for programs that want the numbers without a pprof reader:
//
//   "schema"     1; changes when a reader would break
//   "run"        struct run of profile/run.h, times in ns and rates in Hz as the keys say, with the
//                counters of sample/counters.h; "limit" is the name of an errno, or null; "folded"
//                counts the stacks that the bound on memory cut; "processes" the targets; "time" is
//                "cpu" or "wall"
//   "threads"    pid, tid, comm, process_comm, samples, cpu_ns; in the order of first sight
//   "functions"  function, module, inlined (wherever it was seen), self_samples, self_cpu_ns,
//                total_samples, total_cpu_ns; most self time first. A function counts once in the
//                total of a stack
//   "stacks"     pid, tid, samples, cpu_ns and the frames, leaf first: function, module, offset (in
//                the module's file; an address for anonymous code), file ("": not known), line (0:
//                not known), column (the same), inlined (into the next frame). A location with
//                inlined functions gives several frames with its offset, the innermost first. One
//                entry for each stack of each thread
//
// Wall time has more: of threads "wall", of functions "self_wall" and "total_wall", each an object
// of running_ns, queued_ns and blocked_ns; and stacks have wall_ns and state (running, queued,
// blocked) in place of cpu_ns, an entry for each state.
#include "output/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "output/formats.h"

struct json {
    const struct report *report;
    struct query_source source;
    FILE *out;
    struct buf text;
    enum rc rc; // the first failure
    struct err *err;
};

// Called between entries; drops what is made after a failure.
static void write_some(struct json *json)
{
    if (json->rc == RC_OK)
        json->rc = output_some(json->out, &json->text, json->err);
    else
        buf_clear(&json->text);
}

// Six decimals, by integers: printf's decimal point depends on the locale.
static void put_double(struct buf *text, double value)
{
    int64_t millionths = isfinite(value) && fabs(value) < 1e12 ? llround(value * 1e6) : 0;
    uint64_t size = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
    buf_printf(text, "%s%" PRIu64 ".%06" PRIu64, millionths < 0 ? "-" : "", size / 1000000,
               size % 1000000);
}

static void put_counters(struct buf *text, const struct run *run, enum counter from,
                         enum counter until)
{
    for (enum counter i = from; i < until; i++) {
        uint64_t count = run->counts[i];
        buf_printf(text, "\"%s\":", counters[i].key);
        if (counters[i].unit == UNIT_BOOL)
            buf_puts(text, count ? "true" : "false");
        else if (counters[i].unit != UNIT_ERRNO)
            buf_printf(text, "%" PRIu64, count);
        else if (count)
            buf_printf(text, "\"%s\"", strerrorname_np((int)count));
        else
            buf_puts(text, "null");
        buf_puts(text, ",\n");
    }
}

static void put_number(struct buf *text, const char *key, double value)
{
    buf_printf(text, "\"%s\":", key);
    put_double(text, value);
    buf_puts(text, ",\n");
}

static void put_run(struct buf *text, const struct report *report)
{
    static const char *const ends[] = {
        [RUN_DURATION] = "duration",
        [RUN_INTERRUPTED] = "interrupted",
        [RUN_TARGET_ENDED] = "target_ended",
    };
    const struct run *run = report->run;
    buf_printf(text, "\"run\":{\"start_wall_ns\":%" PRId64 ",\n\"duration_ns\":%" PRId64 ",\n",
               run->start_wall, run->duration);
    put_number(text, "rate_hz", run->rate);
    put_number(text, "achieved_hz", run->achieved);
    put_counters(text, run, 0, COUNTER_THREADS_SEEN);
    put_number(text, "held_share", run->held_share);
    put_counters(text, run, COUNTER_THREADS_SEEN, COUNTER_COUNT);
    buf_printf(text, "\"folded\":%" PRIu64 ",\n", profile_folded(report->profile));
    escape_json_member(text, "time", run->type == RUN_WALL ? "wall" : "cpu");
    buf_puts(text, ",\n");
    escape_json_member(text, "end", ends[run->end]);
    buf_puts(text, ",\n\"processes\":[");
    for (size_t i = 0; i < run->process_count; i++) {
        const struct run_process *process = &run->processes[i];
        buf_printf(text, "%s\n{\"pid\":%d,", i ? "," : "", (int)process->pid);
        escape_json_member(text, "comm", process->comm);
        buf_printf(text, ",\"ended\":%s,\"execs\":%u}", process->ended ? "true" : "false",
                   process->execs);
    }
    buf_puts(text, "]}");
}

void json_run(struct buf *out, const struct report *report)
{
    buf_puts(out, "{\"schema\":1,\n");
    put_run(out, report);
    buf_puts(out, "}\n");
}

void json_function(struct buf *out, const char *name, bool unnamed)
{
    escape_json_member(out, "function", unnamed ? "" : name);
    if (!unnamed)
        return;
    buf_putc(out, ',');
    escape_json_member(out, "unnamed", name);
}

void json_wall(struct buf *out, const char *key, struct cost cost)
{
    buf_printf(out, "\"%s\":{\"running_ns\":%" PRIu64 ",\"queued_ns\":%" PRIu64
                    ",\"blocked_ns\":%" PRIu64 "},",
               key, cost.cpu_ns, cost.queued_ns, cost.blocked_ns);
}

static void put_threads(struct json *json)
{
    const struct profile *profile = json->report->profile;
    size_t count = profile_thread_count(profile);
    AUTO_FREE struct cost *costs = xcalloc(count, sizeof *costs);
    query_threads(&json->source, costs);
    buf_puts(&json->text, ",\n\"threads\":[");
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread_get(profile, i);
        buf_printf(&json->text, "%s\n{\"pid\":%d,\"tid\":%d,", i ? "," : "", (int)thread->pid,
                   (int)thread->tid);
        escape_json_member(&json->text, "comm", profile_string(profile, thread->comm));
        buf_putc(&json->text, ',');
        escape_json_member(&json->text, "process_comm",
                           profile_string(profile, thread->process_comm));
        buf_putc(&json->text, ',');
        if (json->source.idle)
            json_wall(&json->text, "wall", costs[i]);
        buf_printf(&json->text, "\"samples\":%" PRIu64 ",\"cpu_ns\":%" PRIu64 "}",
                   costs[i].samples, costs[i].cpu_ns);
        write_some(json);
    }
    buf_puts(&json->text, "]");
}

static void put_functions(struct json *json)
{
    struct flat flat;
    query_flat(&json->source, SIZE_MAX, &flat);
    buf_puts(&json->text, ",\n\"functions\":[");
    for (size_t i = 0; i < flat.row_count; i++) {
        const struct flat_row *row = &flat.rows[i];
        buf_puts(&json->text, i ? ",\n{" : "\n{");
        json_function(&json->text, row->function, row->unnamed);
        buf_putc(&json->text, ',');
        escape_json_member(&json->text, "module", row->module);
        buf_putc(&json->text, ',');
        if (json->source.idle) {
            json_wall(&json->text, "self_wall", row->self);
            json_wall(&json->text, "total_wall", row->total);
        }
        buf_printf(&json->text,
                   "\"inlined\":%s,\"self_samples\":%" PRIu64 ",\"self_cpu_ns\":%" PRIu64
                   ",\"total_samples\":%" PRIu64 ",\"total_cpu_ns\":%" PRIu64 "}",
                   row->inlined ? "true" : "false", row->self.samples, row->self.cpu_ns,
                   row->total.samples, row->total.cpu_ns);
        write_some(json);
    }
    buf_puts(&json->text, "]");
    flat_fini(&flat);
}

static void put_frames(struct buf *text, const struct frames *frames)
{
    buf_puts(text, "\"frames\":[");
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *frame = &frames->list[i];
        buf_puts(text, i ? ",\n{" : "\n{");
        json_function(text, frame->line->name, frame->unnamed);
        buf_putc(text, ',');
        escape_json_member(text, "module", frame->module);
        buf_printf(text, ",\"offset\":%" PRIu64 ",", frame->offset);
        escape_json_member(text, "file", frame->line->file);
        buf_printf(text,
                   ",\"line\":%" PRIu32 ",\"column\":%" PRIu32 ",\"inlined\":%s}",
                   frame->line->line, frame->line->column, frame->inlined ? "true" : "false");
    }
    buf_puts(text, "]");
}

static void put_value(struct json *json, const struct profile_value *value)
{
    const struct profile_thread *thread =
        profile_thread_get(json->report->profile, value->thread);
    buf_printf(&json->text, "{\"pid\":%d,\"tid\":%d,\"samples\":%" PRIu64 ",",
               (int)thread->pid, (int)thread->tid, value->samples);
    if (json->source.idle) {
        escape_json_member(&json->text, "state", profile_state_names[value->state]);
        buf_putc(&json->text, ',');
    }
    buf_printf(&json->text, "\"%s_ns\":%" PRIu64 ",", json->source.idle ? "wall" : "cpu",
               value->ns);
}

static void put_stacks(struct json *json)
{
    const struct profile *profile = json->report->profile;
    struct frames frames = {0};
    const char *separator = "\n";
    buf_puts(&json->text, ",\n\"stacks\":[");
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        if (!query_takes(&json->source, value))
            continue;
        buf_puts(&json->text, separator);
        separator = ",\n";
        put_value(json, value);
        query_frames(&json->source, value->stack, &frames);
        put_frames(&json->text, &frames);
        buf_putc(&json->text, '}');
        write_some(json);
    }
    buf_puts(&json->text, "]");
    frames_fini(&frames);
}

enum rc json_write(const struct report *report, FILE *out, struct err *err)
{
    struct json json = {
        .report = report, .source = report_source(report), .out = out, .err = err};
    buf_puts(&json.text, "{\"schema\":1,\n");
    put_run(&json.text, report);
    put_threads(&json);
    put_functions(&json);
    put_stacks(&json);
    buf_puts(&json.text, "}\n");
    if (json.rc == RC_OK)
        json.rc = output_bytes(out, json.text.data, json.text.length, err);
    buf_fini(&json.text);
    return json.rc;
}
