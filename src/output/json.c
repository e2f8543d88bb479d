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
//
// A profile that came from a file has of "run" only start_wall_ns, duration_ns and rate_hz, and
// only those threads that its labels name. If it is of anything but CPU or wall time, "measure" and
// "unit" stand in place of "time", and "value", "self_value", "total_value" of those in cpu_ns.
#include "output/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/formats.h"
#include "profile/plain_frame.h"
#include "profile/plain_threads.h"
#include "profile/totals.h"

struct json_writing {
    const struct plain_profile *profile;
    struct measure measure;
    struct json json; // into `text`
    struct buf text;
    FILE *out;
    enum rc rc; // the first failure
    struct err *err;
};

// Writes what was made since the last entry, or drops it after a failure.
static void write_some(struct json_writing *writing)
{
    if (writing->rc == RC_OK)
        writing->rc = output_some(writing->out, &writing->text, writing->err);
    else
        buf_clear(&writing->text);
}

static void put_counters(struct json *json, const struct run *run, enum counter from,
                         enum counter until)
{
    for (enum counter i = from; i < until; i++) {
        uint64_t count = run->counts[i];
        json_line(json);
        if (counters[i].unit == UNIT_BOOL)
            json_bool(json, counters[i].key, count);
        else if (counters[i].unit != UNIT_ERRNO)
            json_count(json, counters[i].key, count);
        else if (count)
            json_text(json, counters[i].key, strerrorname_np((int)count));
        else
            json_null(json, counters[i].key);
    }
}

static void put_rate(struct json *json, const char *key, double value)
{
    json_line(json);
    json_decimal(json, key, value, 6);
}

static void put_processes(struct json *json, const struct run *run)
{
    json_line(json);
    json_begin(json, "processes", '[');
    for (size_t i = 0; i < run->process_count; i++) {
        const struct run_process *process = &run->processes[i];
        json_line(json);
        json_begin(json, NULL, '{');
        json_number(json, "pid", process->pid);
        json_text(json, "comm", process->comm);
        json_bool(json, "ended", process->ended);
        json_count(json, "execs", process->execs);
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_trace(struct json *json, const struct run_trace *trace)
{
    if (!trace->threads)
        return;
    json_line(json);
    json_begin(json, "trace", '{');
    json_count(json, "threads", trace->threads);
    json_count(json, "exact", trace->exact);
    json_number(json, "refused_errno", trace->refused);
    json_count(json, "without_descriptors", trace->without);
    json_count(json, "lost", trace->lost);
    json_count(json, "unplaced", trace->unplaced);
    json_count(json, "dropped", trace->dropped);
    json_number(json, "since_ns", trace->since);
    json_end(json, '{');
}

static void begin_run(struct json *json, int64_t start, int64_t duration)
{
    json_begin(json, NULL, '{');
    json_number(json, "schema", 1);
    json_line(json);
    json_begin(json, "run", '{');
    json_number(json, "start_wall_ns", start);
    json_line(json);
    json_number(json, "duration_ns", duration);
}

static void put_run(struct json *json, const struct run *run, uint64_t folded)
{
    static const char *const ends[] = {
        [RUN_DURATION] = "duration",
        [RUN_INTERRUPTED] = "interrupted",
        [RUN_TARGET_ENDED] = "target_ended",
    };
    begin_run(json, run->start_wall, run->duration);
    put_rate(json, "rate_hz", run->rate);
    put_rate(json, "achieved_hz", run->achieved);
    put_counters(json, run, 0, COUNTER_THREADS_SEEN);
    put_rate(json, "held_share", run->held_share);
    put_counters(json, run, COUNTER_THREADS_SEEN, COUNTER_COUNT);
    json_line(json);
    json_count(json, "folded", folded);
    json_line(json);
    json_text(json, "time", profile_types[run->type].name);
    json_line(json);
    json_text(json, "end", ends[run->end]);
    put_trace(json, &run->trace);
    put_processes(json, run);
    json_end(json, '{');
}

// A file says less than a run.
static void put_file(struct json *json, const struct plain_profile *profile,
                     const struct measure *measure)
{
    const char *unit = plain_string(profile, profile->period_type.unit);
    bool timed = profile->period > 0 && strcmp(unit, "nanoseconds") == 0;
    begin_run(json, profile->time, profile->duration);
    put_rate(json, "rate_hz", timed ? (double)NS_PER_S / (double)profile->period : 0);
    json_line(json);
    json_text(json, measure->ours ? "time" : "measure", measure->type);
    json_line(json);
    if (!measure->ours)
        json_text(json, "unit", measure->unit);
    json_end(json, '{');
}

static void end_document(struct json *json)
{
    json_end(json, '{');
    buf_putc(json->out, '\n');
}

void output_json_run(struct buf *out, const struct run *run, uint64_t folded)
{
    struct json json = {.out = out};
    put_run(&json, run, folded);
    end_document(&json);
}

void output_json_function(struct json *json, const char *name, bool unnamed)
{
    json_text(json, "function", unnamed ? "" : name);
    if (unnamed)
        json_text(json, "unnamed", name);
}

void output_json_wall(struct json *json, const char *key, struct cost cost)
{
    json_begin(json, key, '{');
    json_number(json, "running_ns", cost.cpu_ns);
    json_number(json, "queued_ns", cost.queued_ns);
    json_number(json, "blocked_ns", cost.blocked_ns);
    json_end(json, '{');
}

// --- threads ---

static int64_t number_label(const struct json_writing *writing, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(writing->profile, set, key);
    return label ? label->number : 0;
}

static const char *text_label(const struct json_writing *writing, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(writing->profile, set, key);
    return label ? plain_string(writing->profile, label->text) : "";
}

// The keys are those of the samples, of their time, and of their value if it is no time of ours.
static void put_cost(struct json_writing *writing, const char *const keys[3], struct cost cost)
{
    json_number(&writing->json, keys[0], cost.samples);
    json_number(&writing->json, keys[writing->measure.ours ? 1 : 2], cost.cpu_ns);
}

static void put_thread(struct json_writing *writing, uint32_t set, struct cost cost)
{
    static const char *const keys[] = {"samples", "cpu_ns", "value"};
    struct json *json = &writing->json;
    json_line(json);
    json_begin(json, NULL, '{');
    json_number(json, "pid", number_label(writing, set, "pid"));
    json_number(json, "tid", number_label(writing, set, "tid"));
    json_text(json, "comm", text_label(writing, set, "thread"));
    json_text(json, "process_comm", text_label(writing, set, "comm"));
    if (writing->measure.wall)
        output_json_wall(json, "wall", cost);
    put_cost(writing, keys, cost);
    json_end(json, '{');
    write_some(writing);
}

// An entry without a tid is of a file that does not tell threads apart.
static void put_threads(struct json_writing *writing)
{
    const struct plain_profile *profile = writing->profile;
    struct plain_threads threads;
    plain_threads_init(&threads, profile);
    AUTO_FREE struct cost *costs = xcalloc(threads.count + 1, sizeof *costs);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        cost_add(&costs[threads.of[profile->samples.list[i].labels].thread],
                 measure_cost(&writing->measure, i));
    json_line(&writing->json);
    json_begin(&writing->json, "threads", '[');
    for (size_t i = 0; i < threads.count; i++)
        if (plain_label(profile, threads.list[i].labels, "tid"))
            put_thread(writing, threads.list[i].labels, costs[i]);
    json_end(&writing->json, '[');
    plain_threads_fini(&threads);
}

// --- functions ---

static void put_function(struct json_writing *writing, const struct total_row *row)
{
    static const char *const self[] = {"self_samples", "self_cpu_ns", "self_value"};
    static const char *const total[] = {"total_samples", "total_cpu_ns", "total_value"};
    struct json *json = &writing->json;
    json_line(json);
    json_begin(json, NULL, '{');
    output_json_function(json, row->function, row->unnamed);
    json_text(json, "module", row->module);
    if (writing->measure.wall) {
        output_json_wall(json, "self_wall", row->self);
        output_json_wall(json, "total_wall", row->total);
    }
    json_bool(json, "inlined", row->inlined);
    put_cost(writing, self, row->self);
    put_cost(writing, total, row->total);
    json_end(json, '{');
    write_some(writing);
}

static void put_functions(struct json_writing *writing)
{
    struct totals totals;
    totals_init(&totals, &writing->measure, SIZE_MAX);
    json_line(&writing->json);
    json_begin(&writing->json, "functions", '[');
    for (size_t i = 0; i < totals.count; i++)
        put_function(writing, &totals.rows[i]);
    json_end(&writing->json, '[');
    totals_fini(&totals);
}

// --- stacks ---

static void put_frame(struct json *json, const struct plain_frame *frame)
{
    json_line(json);
    json_begin(json, NULL, '{');
    output_json_function(json, frame->name, frame->unnamed);
    json_text(json, "module", frame->module);
    json_count(json, "offset", frame->offset);
    json_text(json, "file", frame->file);
    json_number(json, "line", frame->line);
    json_number(json, "column", frame->column);
    json_bool(json, "inlined", frame->inlined);
    json_end(json, '{');
}

static void put_frames(struct json_writing *writing, uint32_t stack)
{
    const struct plain_node *nodes = writing->profile->stacks.nodes;
    json_begin(&writing->json, "frames", '[');
    for (; stack; stack = nodes[stack].parent)
        for (size_t i = 0; i < plain_frame_count(writing->profile, nodes[stack].location); i++) {
            struct plain_frame frame = plain_frame(writing->profile, nodes[stack].location, i);
            put_frame(&writing->json, &frame);
        }
    json_end(&writing->json, '[');
}

static void put_sample(struct json_writing *writing, uint32_t number, struct cost cost)
{
    const struct plain_sample *sample = &writing->profile->samples.list[number];
    struct json *json = &writing->json;
    json_line(json);
    json_begin(json, NULL, '{');
    json_number(json, "pid", number_label(writing, sample->labels, "pid"));
    json_number(json, "tid", number_label(writing, sample->labels, "tid"));
    json_number(json, "samples", cost.samples);
    if (writing->measure.wall)
        json_text(json, "state", text_label(writing, sample->labels, "state"));
    json_number(json,
                writing->measure.wall   ? "wall_ns"
                : writing->measure.ours ? "cpu_ns"
                                        : "value",
                cost_ns(cost));
    put_frames(writing, sample->stack);
    json_end(json, '{');
    write_some(writing);
}

static void put_stacks(struct json_writing *writing)
{
    json_line(&writing->json);
    json_begin(&writing->json, "stacks", '[');
    for (uint32_t i = 0; i < writing->profile->samples.count; i++) {
        struct cost cost = measure_cost(&writing->measure, i);
        if (cost_is_any(cost))
            put_sample(writing, i, cost);
    }
    json_end(&writing->json, '[');
}

enum rc json_write(const struct writing *what, FILE *out, struct err *err)
{
    struct json_writing writing = {
        .profile = what->profile,
        .measure = measure_of(what->profile),
        .out = out,
        .err = err,
    };
    writing.json.out = &writing.text;
    if (what->run)
        put_run(&writing.json, what->run, what->profile->folded);
    else
        put_file(&writing.json, what->profile, &writing.measure);
    put_threads(&writing);
    put_functions(&writing);
    put_stacks(&writing);
    end_document(&writing.json);
    if (writing.rc == RC_OK)
        writing.rc = output_bytes(out, writing.text.data, writing.text.length, err);
    buf_fini(&writing.text);
    return writing.rc;
}
