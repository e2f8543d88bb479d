// SPDX-License-Identifier: MIT
// The text of `perf script`, which Firefox Profiler, speedscope, Perfetto, flamescope and
// stackcollapse-perf.pl read. To all but the last one records are samples of equal weight, so the
// timeline is sampled: of each period of CPU time of a thread one moment is a record, at random, so
// that nothing that a thread does in step with the period is missed. Shares are those of CPU time
// then, which they would not be with a record for each interval, long or short. Runs whose stack
// nobody saw are shared by those that were looked at (trace_weight). Time that is spent blocked or
// waiting for a CPU has no records: to these viewers all samples are CPU time.
// (speedscope stretches each to the next one of its thread; in Chrome's format it shows waits.)
//
//   worker_7  4242/4243 [003]   100.000100:   10000000 cpu-clock:
//   <TAB>          401169 work (/path/app)
//
// What the readers ask for beyond that:
//   - Perfetto reads the first line to know the format, takes exactly six decimals of a second,
//     needs a frame in each record, and fails at a line that begins no record unless it is the last
//     one and has no end. So what is to be said of the timeline is said in such a line.
//   - A name of a thread has no blanks, two letters, and begins with one: "worker 7 4242/4243" is
//     thread 7, and '#', '{' or a digit at the beginning of a line mean something else.
//   - A name of a function does not begin with '(' ("(anonymous namespace)::f" is skipped), has no
//     "->" (that joins inlined functions), and is cut at the last '+', so that one with a '+' of
//     its own gets an offset. Files have no blanks and no parentheses.
//   - Inlined functions have lines of their own, as perf writes them; their file is "inlined".
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "output/formats.h"
#include "output/trace_parts.h"
#include "profile/plain_frame.h"

#define PERIOD (10 * NS_PER_MS) // of a timeline that has none
#define UNKNOWN "[unknown]"

struct pending { // a run with records that are not written yet
    const struct timeline_event *event;
    int64_t begin, duration; // of what does not overlap the run before it
    int64_t spent, weight;   // CPU time that runs before it stand for, and that it does
    int64_t stratum;         // the period of that CPU time that the next record is of
    int64_t time;            // of that record
};

struct trace_perf {
    const struct timeline *timeline;
    struct trace_thread *threads;
    struct trace_share *shares;
    int64_t *spent; // [thread]: CPU time that its runs so far stand for
    int64_t origin, period;
    struct pending *heap; // the earliest first
    size_t pending, capacity;
    struct buf text, name;
    FILE *out;
    enum rc rc;
    struct err *err;
};

// --- text ---

static bool is_blank(uint32_t code)
{
    return code <= ' ' || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
           code == 0x3000;
}

// Puts escaped text with '_' for blanks, and for parentheses in the name of a file.
static void put_word(struct trace_perf *perf, const char *text, bool file)
{
    unsigned length;
    buf_clear(&perf->name);
    escape_text(&perf->name, text);
    for (const char *at = perf->name.data; *at; at += length) {
        uint32_t code = escape_decode(at, &length);
        if (is_blank(code) || (file && (*at == '(' || *at == ')')))
            buf_putc(&perf->text, '_');
        else
            buf_append(&perf->text, at, length);
    }
}

static void put_thread(struct trace_perf *perf, const struct trace_thread *thread)
{
    const char *name = *thread->name ? thread->name : "unknown";
    unsigned char first = (unsigned char)name[0];
    if ((!isalpha(first) && first < 0x80) || !name[1])
        buf_putc(&perf->text, '_');
    put_word(perf, name, false);
    buf_printf(&perf->text, "  %d/%d", (int)thread->pid, (int)thread->tid);
}

static void put_function(struct trace_perf *perf, const char *name)
{
    size_t start = perf->text.length;
    buf_clear(&perf->name);
    escape_text(&perf->name, *name ? name : UNKNOWN);
    for (const char *at = perf->name.data; *at; at++) {
        buf_putc(&perf->text, *at);
        if (at[0] == '-' && at[1] == '>')
            buf_putc(&perf->text, ' ');
    }
    char *end = perf->text.data[start] == '(' ? strchr(perf->text.data + start, ')') : NULL;
    if (perf->text.data[start] == '(')
        perf->text.data[start] = '{';
    if (end)
        *end = '}';
    if (strchr(perf->text.data + start, '+'))
        buf_puts(&perf->text, "+0x0");
}

static const char *file_of(const struct plain_profile *profile, const struct plain_location *at)
{
    if (at->mapping == PLAIN_NONE)
        return UNKNOWN;
    const char *file = plain_string(profile, profile->code.mappings[at->mapping].file);
    return strcmp(file, "[kernel]") == 0 ? "[kernel.kallsyms]" : *file ? file : UNKNOWN;
}

static void put_location(struct trace_perf *perf, uint32_t location)
{
    const struct plain_profile *profile = perf->timeline->profile;
    const struct plain_location *at = &profile->code.locations[location];
    for (size_t i = 0; i < plain_frame_count(profile, location); i++) {
        struct plain_frame frame = plain_frame(profile, location, i);
        buf_printf(&perf->text, "\t%16" PRIx64 " ", at->address);
        put_function(perf, frame.name);
        buf_puts(&perf->text, " (");
        put_word(perf, frame.inlined ? "inlined" : file_of(profile, at), true);
        buf_puts(&perf->text, ")\n");
    }
}

static void put_record(struct trace_perf *perf, const struct timeline_event *event, int64_t time)
{
    const struct plain_node *nodes = perf->timeline->profile->stacks.nodes;
    int64_t us = (time - perf->origin) / NS_PER_US;
    put_thread(perf, &perf->threads[event->thread]);
    if (event->cpu != TIMELINE_NONE)
        buf_printf(&perf->text, " [%03" PRIu32 "]", event->cpu);
    buf_printf(&perf->text, " %5" PRId64 ".%06d: %10" PRId64 " cpu-clock: \n", us / 1000000,
               (int)(us % 1000000), perf->period);
    for (uint32_t at = event->stack; at; at = nodes[at].parent)
        put_location(perf, nodes[at].location);
    if (!event->stack)
        buf_printf(&perf->text, "\t%16x " UNKNOWN " (" UNKNOWN ")\n", 0);
    buf_putc(&perf->text, '\n');
    if (perf->rc == RC_OK)
        perf->rc = output_some(perf->out, &perf->text, perf->err);
    else
        buf_clear(&perf->text);
}

static void put_facts(struct trace_perf *perf)
{
    const struct plain_profile *profile = perf->timeline->profile;
    buf_printf(&perf->text, "# a record stands for %" PRId64 "%s; %s", perf->period,
               perf->timeline->made_up ? "" : " ns of CPU time", trace_accuracy(perf->timeline));
    for (size_t i = 0; i < profile->comment_count; i++) {
        buf_puts(&perf->text, "; ");
        escape_text(&perf->text, plain_string(profile, profile->comments[i]));
    }
}

// --- the order of records ---

static bool is_before(const struct pending *a, const struct pending *b)
{
    return a->time < b->time || (a->time == b->time && a->event < b->event);
}

static void swap(struct pending *a, struct pending *b)
{
    struct pending kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(struct trace_perf *perf)
{
    struct pending *heap = perf->heap;
    for (size_t at = 0, child; (child = 2 * at + 1) < perf->pending; at = child) {
        if (child + 1 < perf->pending && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &heap[at]))
            return;
        swap(&heap[at], &heap[child]);
    }
}

static void push(struct trace_perf *perf, struct pending run)
{
    size_t at = perf->pending++;
    ARRAY_RESERVE(perf->heap, at, perf->capacity);
    perf->heap[at] = run;
    for (; at && is_before(&perf->heap[at], &perf->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&perf->heap[at], &perf->heap[(at - 1) / 2]);
}

// --- sampling ---

// Says when the next record is, at the same moments each time that the file is written. Returns
// where in the weight of the run that is: before it, in it or behind it.
static int64_t set_time(const struct trace_perf *perf, struct pending *run)
{
    uint64_t key = (uint64_t)run->event->thread << 40 ^ (uint64_t)run->stratum;
    int64_t offset = (int64_t)(map_hash(key) % (uint64_t)perf->period);
    int64_t at = run->stratum * perf->period + offset - run->spent;
    double part = (double)at / (double)run->weight;
    run->time = run->begin + (int64_t)(part * (double)run->duration);
    return at;
}

static void take(struct trace_perf *perf, const struct timeline_event *event,
                 const struct timeline_event *cut)
{
    int64_t *spent = &perf->spent[event->thread];
    struct pending run = {
        .event = event,
        .begin = cut->time,
        .duration = cut->duration,
        .spent = *spent,
        .weight = trace_weight(perf->shares, cut),
        .stratum = *spent / perf->period,
    };
    if (!run.weight)
        return;
    *spent += run.weight;
    int64_t at = set_time(perf, &run);
    if (at < 0) { // that record was of the run before
        run.stratum++;
        at = set_time(perf, &run);
    }
    if (at < run.weight)
        push(perf, run);
}

// Writes the records before a time.
static void write_until(struct trace_perf *perf, int64_t until)
{
    while (perf->pending && perf->heap[0].time < until) {
        struct pending *first = &perf->heap[0];
        put_record(perf, first->event, first->time);
        first->stratum++;
        if (set_time(perf, first) >= first->weight)
            *first = perf->heap[--perf->pending];
        sink(perf);
    }
}

static void put_records(struct trace_perf *perf)
{
    AUTO_FREE int64_t *ends = trace_ends(perf->timeline);
    for (size_t i = 0; i < perf->timeline->event_count; i++) {
        const struct timeline_event *event = &perf->timeline->events[i];
        struct timeline_event cut = trace_cut(ends, event);
        if (!trace_is_running(event))
            continue;
        write_until(perf, event->time);
        take(perf, event, &cut);
    }
    write_until(perf, INT64_MAX);
}

static int64_t period_of(const struct plain_profile *profile)
{
    const char *unit = plain_string(profile, profile->period_type.unit);
    return profile->period > 0 && strcmp(unit, "nanoseconds") == 0 ? profile->period : PERIOD;
}

enum rc trace_perf_write(const struct timeline *timeline, FILE *out, struct err *err)
{
    struct trace_perf perf = {
        .timeline = timeline,
        .threads = trace_threads(timeline),
        .shares = trace_shares(timeline),
        .spent = xcalloc(timeline->thread_count + 1, sizeof *perf.spent),
        .origin = trace_origin(timeline),
        .period = period_of(timeline->profile),
        .out = out,
        .err = err,
    };
    put_records(&perf);
    put_facts(&perf);
    if (perf.rc == RC_OK)
        perf.rc = output_bytes(out, perf.text.data, perf.text.length, err);
    buf_fini(&perf.text);
    buf_fini(&perf.name);
    free(perf.heap);
    free(perf.spent);
    free(perf.shares);
    free(perf.threads);
    return perf.rc;
}
