// SPDX-License-Identifier: MIT
// One JSON document, for programs that want the numbers without a pprof reader:
//
//   "schema"     1; changes when a reader would break
//   "run"        struct run of profile/run.h, times in ns and rates in Hz as the keys say;
//                "stuck_sampler_pid" is 0 unless a sampler does not end; "folded" counts the stacks
//                that the bound on memory cut; "processes" the targets; "time" is "cpu" or "wall"
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

#include "base/escape.h"
#include "base/mem.h"
#include "output/formats.h"

enum field_type { FIELD_BOOL, FIELD_PID, FIELD_U64, FIELD_I64, FIELD_DOUBLE };

struct field {
    const char *key;
    enum field_type type;
    size_t offset; // in struct run
};

static const struct field run_fields[] = {
    {"start_wall_ns", FIELD_I64, offsetof(struct run, start_wall)},
    {"duration_ns", FIELD_I64, offsetof(struct run, duration)},
    {"rate_hz", FIELD_DOUBLE, offsetof(struct run, rate)},
    {"achieved_hz", FIELD_DOUBLE, offsetof(struct run, achieved)},
    {"rounds", FIELD_U64, offsetof(struct run, rounds)},
    {"late", FIELD_U64, offsetof(struct run, late)},
    {"realtime", FIELD_BOOL, offsetof(struct run, realtime)},
    {"short_slice", FIELD_BOOL, offsetof(struct run, short_slice)},
    {"samples", FIELD_U64, offsetof(struct run, samples)},
    {"asleep", FIELD_U64, offsetof(struct run, asleep)},
    {"stops", FIELD_U64, offsetof(struct run, stops)},
    {"failed", FIELD_U64, offsetof(struct run, failed)},
    {"queued", FIELD_U64, offsetof(struct run, queued)},
    {"elsewhere", FIELD_U64, offsetof(struct run, elsewhere)},
    {"busy", FIELD_U64, offsetof(struct run, busy)},
    {"unfound", FIELD_U64, offsetof(struct run, unfound)},
    {"dropped", FIELD_U64, offsetof(struct run, dropped)},
    {"cut", FIELD_U64, offsetof(struct run, cut)},
    {"frame_pointers", FIELD_U64, offsetof(struct run, frame_pointers)},
    {"repaired", FIELD_U64, offsetof(struct run, repaired)},
    {"restarts", FIELD_U64, offsetof(struct run, restarts)},
    {"stuck_sampler_pid", FIELD_PID, offsetof(struct run, stuck)},
    {"unresolved", FIELD_U64, offsetof(struct run, unresolved)},
    {"held_p50_ns", FIELD_I64, offsetof(struct run, held_p50)},
    {"held_p99_ns", FIELD_I64, offsetof(struct run, held_p99)},
    {"held_max_ns", FIELD_I64, offsetof(struct run, held_max)},
    {"held_total_ns", FIELD_I64, offsetof(struct run, held_total)},
    {"displaced_p50_ns", FIELD_I64, offsetof(struct run, displaced_p50)},
    {"displaced_p99_ns", FIELD_I64, offsetof(struct run, displaced_p99)},
    {"displaced_total_ns", FIELD_I64, offsetof(struct run, displaced_total)},
    {"held_share", FIELD_DOUBLE, offsetof(struct run, held_share)},
    {"threads_seen", FIELD_U64, offsetof(struct run, threads_seen)},
    {"threads_sampled", FIELD_U64, offsetof(struct run, threads_sampled)},
    {"cpu_ns", FIELD_U64, offsetof(struct run, cpu_ns)},
    {"unattributed_ns", FIELD_U64, offsetof(struct run, unattributed_ns)},
    {"rate_lowered", FIELD_BOOL, offsetof(struct run, rate_lowered)},
};

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

static void put_field(struct buf *text, const struct field *field, const struct run *run)
{
    const void *at = (const char *)run + field->offset;
    buf_printf(text, "\"%s\":", field->key);
    switch (field->type) {
    case FIELD_BOOL:
        buf_puts(text, *(const bool *)at ? "true" : "false");
        break;
    case FIELD_PID:
        buf_printf(text, "%d", (int)*(const pid_t *)at);
        break;
    case FIELD_U64:
        buf_printf(text, "%" PRIu64, *(const uint64_t *)at);
        break;
    case FIELD_I64:
        buf_printf(text, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_DOUBLE:
        put_double(text, *(const double *)at);
        break;
    }
}

static void put_run(struct buf *text, const struct report *report)
{
    static const char *const ends[] = {
        [RUN_DURATION] = "duration",
        [RUN_INTERRUPTED] = "interrupted",
        [RUN_TARGET_ENDED] = "target_ended",
    };
    const struct run *run = report->run;
    buf_puts(text, "\"run\":{");
    for (size_t i = 0; i < ARRAY_LENGTH(run_fields); i++) {
        put_field(text, &run_fields[i], run);
        buf_puts(text, ",\n");
    }
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
        escape_json_member(&json->text, "function", row->function);
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
        escape_json_member(text, "function", frame->line->name);
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
