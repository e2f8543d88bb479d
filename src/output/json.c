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
// "unit" stand in place of "time", and "value", "self_value", "total_value" of cpu_ns and its kin.
#include "output/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "output/formats.h"
#include "profile/plain_frame.h"
#include "profile/totals.h"

struct json {
    const struct plain_profile *profile;
    struct measure measure;
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

static void put_processes(struct buf *text, const struct run *run)
{
    buf_puts(text, "\"processes\":[");
    for (size_t i = 0; i < run->process_count; i++) {
        const struct run_process *process = &run->processes[i];
        buf_printf(text, "%s\n{\"pid\":%d,", i ? "," : "", (int)process->pid);
        escape_json_member(text, "comm", process->comm);
        buf_printf(text, ",\"ended\":%s,\"execs\":%u}", process->ended ? "true" : "false",
                   process->execs);
    }
    buf_puts(text, "]");
}

static void put_run(struct buf *text, const struct run *run, uint64_t folded)
{
    static const char *const ends[] = {
        [RUN_DURATION] = "duration",
        [RUN_INTERRUPTED] = "interrupted",
        [RUN_TARGET_ENDED] = "target_ended",
    };
    buf_printf(text, "\"run\":{\"start_wall_ns\":%" PRId64 ",\n\"duration_ns\":%" PRId64 ",\n",
               run->start_wall, run->duration);
    put_number(text, "rate_hz", run->rate);
    put_number(text, "achieved_hz", run->achieved);
    put_counters(text, run, 0, COUNTER_THREADS_SEEN);
    put_number(text, "held_share", run->held_share);
    put_counters(text, run, COUNTER_THREADS_SEEN, COUNTER_COUNT);
    buf_printf(text, "\"folded\":%" PRIu64 ",\n", folded);
    escape_json_member(text, "time", run->type == RUN_WALL ? "wall" : "cpu");
    buf_puts(text, ",\n");
    escape_json_member(text, "end", ends[run->end]);
    buf_puts(text, ",\n");
    put_processes(text, run);
    buf_puts(text, "}");
}

// What a file says of it.
static void put_file(struct buf *text, const struct plain_profile *profile,
                     const struct measure *measure)
{
    const char *unit = plain_string(profile, profile->period_type.unit);
    bool timed = profile->period > 0 && strcmp(unit, "nanoseconds") == 0;
    buf_printf(text, "\"run\":{\"start_wall_ns\":%" PRId64 ",\n\"duration_ns\":%" PRId64
                     ",\n", profile->time, profile->duration);
    put_number(text, "rate_hz", timed ? (double)NS_PER_S / (double)profile->period : 0);
    escape_json_member(text, measure->ours ? "time" : "measure", measure->type);
    if (!measure->ours) {
        buf_puts(text, ",\n");
        escape_json_member(text, "unit", measure->unit);
    }
    buf_puts(text, "}");
}

void json_run(struct buf *out, const struct run *run, uint64_t folded)
{
    buf_puts(out, "{\"schema\":1,\n");
    put_run(out, run, folded);
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

// --- threads ---

struct thread_list {
    struct map pairs;  // (pid, tid, comm, process_comm) pair by pair
    struct map ids;    // the last of these pairs -> number
    uint32_t *sets;    // [number]: the first label set of it
    struct cost *costs; // [number]
    size_t count, capacity, cost_capacity;
};

static int64_t number_label(const struct json *json, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(json->profile, set, key);
    return label ? label->number : 0;
}

static const char *text_label(const struct json *json, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(json->profile, set, key);
    return label ? plain_string(json->profile, label->text) : "";
}

static uint32_t thread_id(const struct json *json, struct map *pairs, uint32_t set)
{
    const struct plain_label *comm = plain_label(json->profile, set, "thread");
    const struct plain_label *process = plain_label(json->profile, set, "comm");
    uint64_t pid = (uint64_t)number_label(json, set, "pid");
    uint64_t tid = (uint64_t)number_label(json, set, "tid");
    const uint32_t rest[] = {(uint32_t)pid, (uint32_t)(tid >> 32), (uint32_t)tid,
                             comm ? comm->text : 0, process ? process->text : 0};
    uint32_t id = (uint32_t)(pid >> 32);
    for (size_t i = 0; i < ARRAY_LENGTH(rest); i++)
        id = map_number(pairs, (uint64_t)id << 32 | rest[i]);
    return id;
}

static void add_to_thread(struct thread_list *threads, uint32_t id, uint32_t set, struct cost cost)
{
    uint32_t number = map_number(&threads->ids, id);
    if (number == threads->count) {
        ARRAY_RESERVE(threads->sets, number, threads->capacity);
        ARRAY_RESERVE(threads->costs, number, threads->cost_capacity);
        threads->sets[number] = set;
        threads->costs[number] = (struct cost){0};
        threads->count++;
    }
    cost_add(&threads->costs[number], cost);
}

static void list_threads(const struct json *json, struct thread_list *threads)
{
    for (uint32_t i = 0; i < json->profile->samples.count; i++) {
        uint32_t set = json->profile->samples.list[i].labels;
        if (plain_label(json->profile, set, "tid"))
            add_to_thread(threads, thread_id(json, &threads->pairs, set), set,
                          measure_cost(&json->measure, i));
    }
}

static void put_cost(struct json *json, const char *prefix, struct cost cost)
{
    buf_printf(&json->text, "\"%ssamples\":%" PRIu64 ",\"%s%s\":%" PRIu64, prefix, cost.samples,
               prefix, json->measure.ours ? "cpu_ns" : "value", cost.cpu_ns);
}

static void put_thread(struct json *json, uint32_t set, struct cost cost)
{
    buf_printf(&json->text, "{\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",",
               number_label(json, set, "pid"), number_label(json, set, "tid"));
    escape_json_member(&json->text, "comm", text_label(json, set, "thread"));
    buf_putc(&json->text, ',');
    escape_json_member(&json->text, "process_comm", text_label(json, set, "comm"));
    buf_putc(&json->text, ',');
    if (json->measure.wall)
        json_wall(&json->text, "wall", cost);
    put_cost(json, "", cost);
    buf_putc(&json->text, '}');
    write_some(json);
}

static void put_threads(struct json *json)
{
    struct thread_list threads = {0};
    list_threads(json, &threads);
    buf_puts(&json->text, ",\n\"threads\":[");
    for (size_t i = 0; i < threads.count; i++) {
        buf_puts(&json->text, i ? ",\n" : "\n");
        put_thread(json, threads.sets[i], threads.costs[i]);
    }
    buf_puts(&json->text, "]");
    map_fini(&threads.pairs);
    map_fini(&threads.ids);
    free(threads.sets);
    free(threads.costs);
}

// --- functions ---

static void put_function(struct json *json, const struct total_row *row)
{
    json_function(&json->text, row->function, row->unnamed);
    buf_putc(&json->text, ',');
    escape_json_member(&json->text, "module", row->module);
    buf_putc(&json->text, ',');
    if (json->measure.wall) {
        json_wall(&json->text, "self_wall", row->self);
        json_wall(&json->text, "total_wall", row->total);
    }
    buf_printf(&json->text, "\"inlined\":%s,", row->inlined ? "true" : "false");
    put_cost(json, "self_", row->self);
    buf_putc(&json->text, ',');
    put_cost(json, "total_", row->total);
}

static void put_functions(struct json *json)
{
    struct totals totals;
    totals_init(&totals, &json->measure, SIZE_MAX);
    buf_puts(&json->text, ",\n\"functions\":[");
    for (size_t i = 0; i < totals.count; i++) {
        buf_puts(&json->text, i ? ",\n{" : "\n{");
        put_function(json, &totals.rows[i]);
        buf_putc(&json->text, '}');
        write_some(json);
    }
    buf_puts(&json->text, "]");
    totals_fini(&totals);
}

// --- stacks ---

static void put_frame(struct buf *text, const struct plain_frame *frame)
{
    json_function(text, frame->name, frame->unnamed);
    buf_putc(text, ',');
    escape_json_member(text, "module", frame->module);
    buf_printf(text, ",\"offset\":%" PRIu64 ",", frame->offset);
    escape_json_member(text, "file", frame->file);
    buf_printf(text, ",\"line\":%" PRId64 ",\"column\":%" PRId64 ",\"inlined\":%s}",
               frame->line, frame->column, frame->inlined ? "true" : "false");
}

static void put_frames(struct json *json, uint32_t stack)
{
    const struct plain_node *nodes = json->profile->stacks.nodes;
    const char *separator = "\n{";
    buf_puts(&json->text, "\"frames\":[");
    for (; stack; stack = nodes[stack].parent)
        for (size_t i = 0; i < plain_frame_count(json->profile, nodes[stack].location); i++) {
            struct plain_frame frame = plain_frame(json->profile, nodes[stack].location, i);
            buf_puts(&json->text, separator);
            separator = ",\n{";
            put_frame(&json->text, &frame);
        }
    buf_puts(&json->text, "]");
}

static void put_sample(struct json *json, uint32_t number, struct cost cost)
{
    const struct plain_sample *sample = &json->profile->samples.list[number];
    buf_printf(&json->text, "{\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"samples\":%" PRIu64 ",",
               number_label(json, sample->labels, "pid"),
               number_label(json, sample->labels, "tid"), cost.samples);
    if (json->measure.wall) {
        escape_json_member(&json->text, "state", text_label(json, sample->labels, "state"));
        buf_putc(&json->text, ',');
    }
    const char *key = json->measure.wall ? "wall_ns" : json->measure.ours ? "cpu_ns" : "value";
    buf_printf(&json->text, "\"%s\":%" PRIu64 ",", key, cost_ns(cost));
    put_frames(json, sample->stack);
    buf_putc(&json->text, '}');
    write_some(json);
}

static void put_stacks(struct json *json)
{
    const char *separator = "\n";
    buf_puts(&json->text, ",\n\"stacks\":[");
    for (uint32_t i = 0; i < json->profile->samples.count; i++) {
        struct cost cost = measure_cost(&json->measure, i);
        if (!cost_is_any(cost))
            continue;
        buf_puts(&json->text, separator);
        separator = ",\n";
        put_sample(json, i, cost);
    }
    buf_puts(&json->text, "]");
}

enum rc json_write(const struct writing *writing, FILE *out, struct err *err)
{
    struct json json = {
        .profile = writing->profile,
        .measure = measure_of(writing->profile),
        .out = out,
        .err = err,
    };
    buf_puts(&json.text, "{\"schema\":1,\n");
    if (writing->run)
        put_run(&json.text, writing->run, writing->profile->folded);
    else
        put_file(&json.text, writing->profile, &json.measure);
    put_threads(&json);
    put_functions(&json);
    put_stacks(&json);
    buf_puts(&json.text, "}\n");
    if (json.rc == RC_OK)
        json.rc = output_bytes(out, json.text.data, json.text.length, err);
    buf_fini(&json.text);
    return json.rc;
}
