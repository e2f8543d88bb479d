// SPDX-License-Identifier: MIT
// A timeline as Go's execution trace: a thread is a goroutine that its name has started, a CPU is a
// P. A wait is the block event of its kind with the stack where it waits, and ends by an unblock of
// the thread that woke it, if that is known and runs then, else of nobody; an unblock by nobody has
// the stack where its thread was queued. Stacks of running threads are CPU samples. Events are
// taken in order, once: how much memory that takes depends on threads and stacks.
//
// What a timeline does not say is made up so that nothing is counted for it: between two events a
// thread that ran is blocked for no reason, one that waited is runnable. Of two states of a thread
// or a CPU at once the later one counts. What was cut by that, and whether states are the kernel's
// switches, stands in the trace as a log of the key "ptprof".
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "output/formats.h"
#include "output/go_ends.h"
#include "output/go_scheduler.h"
#include "output/go_symbols.h"
#include "wait/wait.h"

#define CPUS_MAX 8192 // as many as the kernel can have
#define NO_EVENT SIZE_MAX
#define OTHER_IDS (UINT64_C(1) << 32) // of goroutines whose tid is not known, or another one's

#define EXACT_TEXT "states are context switches of the kernel"
#define SEEN_TEXT "states are what each tick saw; what was between two is not known"

struct go_doing { // of a thread, by the timeline
    size_t event; // the present one; NO_EVENT: it has ended
    size_t last;  // of all; NO_EVENT: it has none
};

struct trace_go {
    const struct timeline *timeline;
    struct go_encoder encoder;
    struct go_symbols symbols;
    struct go_scheduler scheduler;
    struct go_ends ends;
    struct go_doing *doing; // [thread]
    uint8_t *kinds;         // [label set]: enum go_event of a wait with it; 0: not yet looked at
    int64_t first, end;     // of the timeline
    uint32_t cpus;
    bool told;
};

// poll waits for the first of several things, as select does; pipes are pollable in Go.
static const uint8_t wait_events[] = {
    [WAIT_LOCK] = GO_BLOCK_SYNC,      [WAIT_CONDITION] = GO_BLOCK_COND,
    [WAIT_SEMAPHORE] = GO_BLOCK_SYNC, [WAIT_BARRIER] = GO_BLOCK_SYNC,
    [WAIT_JOIN] = GO_BLOCK_SYNC,      [WAIT_FUTEX] = GO_BLOCK_SYNC,
    [WAIT_POLL] = GO_BLOCK_SELECT,    [WAIT_SOCKET] = GO_BLOCK_NET,
    [WAIT_PIPE] = GO_BLOCK_NET,       [WAIT_FILE] = GO_SYSCALL,
    [WAIT_SLEEP] = GO_SLEEP,          [WAIT_FAULT] = GO_SYSCALL,
    [WAIT_DISK] = GO_SYSCALL,         [WAIT_CHILD] = GO_SYSCALL,
    [WAIT_SIGNAL] = GO_SYSCALL,       [WAIT_STOPPED] = GO_BLOCK,
    [WAIT_OTHER] = GO_SYSCALL,
};

static enum go_event find_kind(const struct plain_profile *profile, uint32_t set)
{
    const struct plain_label *label = plain_label(profile, set, "wait");
    const char *text = label ? plain_string(profile, label->text) : "";
    for (size_t i = 0; i < ARRAY_LENGTH(wait_events); i++)
        if (wait_events[i] && strcmp(wait_kind_names[i], text) == 0)
            return wait_events[i];
    return GO_BLOCK;
}

static enum go_event kind_of(struct trace_go *trace, uint32_t set)
{
    if (!trace->kinds[set])
        trace->kinds[set] = (uint8_t)find_kind(trace->timeline->profile, set);
    return trace->kinds[set];
}

// A state without a duration lasts for 1 ns, if the next one of its thread does not begin then.
static int64_t end_of(const struct timeline_event *event)
{
    int64_t end;
    if (__builtin_add_overflow(event->time, event->duration ? event->duration : 1, &end))
        return INT64_MAX;
    return end;
}

static uint32_t cpu_of(const struct timeline_event *event)
{
    return event->cpu < CPUS_MAX ? event->cpu : GO_NOBODY;
}

static bool is_running(const struct timeline_event *event)
{
    return event->state != STATE_BLOCKED && event->state != STATE_QUEUED;
}

static const struct timeline_event *present(const struct trace_go *trace, uint32_t thread)
{
    size_t event = trace->doing[thread].event;
    return event == NO_EVENT ? NULL : &trace->timeline->events[event];
}

// Time never goes back, even if the timeline is not sorted.
static void set_now(struct trace_go *trace, int64_t time)
{
    uint64_t tick = (uint64_t)time - (uint64_t)trace->first + 1;
    if (tick > trace->scheduler.now)
        trace->scheduler.now = tick;
}

static void wake(struct trace_go *trace, uint32_t thread, uint32_t queued_at)
{
    const struct timeline_event *wait = present(trace, thread);
    uint32_t by = wait ? wait->woken_by : TIMELINE_NONE;
    uint32_t stack = queued_at;
    if (by >= trace->timeline->thread_count || trace->scheduler.threads[by].state != GO_RUNNING)
        by = GO_NO_THREAD;
    else
        stack = present(trace, by) ? present(trace, by)->stack : 0;
    go_scheduler_wake(&trace->scheduler, thread, by, go_symbols_stack(&trace->symbols, stack));
}

// --- ends of states ---

static void end_state(struct trace_go *trace, uint32_t thread, int64_t time)
{
    struct go_doing *doing = &trace->doing[thread];
    bool last = doing->event == doing->last;
    if (last && time == trace->end)
        return;
    set_now(trace, time);
    if (go_scheduler_waits(&trace->scheduler, thread))
        wake(trace, thread, 0);
    if (last)
        go_scheduler_end(&trace->scheduler, thread);
    else if (trace->scheduler.threads[thread].state == GO_RUNNING)
        go_scheduler_block(&trace->scheduler, thread, GO_BLOCK, 0);
    doing->event = NO_EVENT;
}

static void end_states(struct trace_go *trace, int64_t until)
{
    uint32_t thread;
    while ((thread = go_ends_take(&trace->ends, until)) != GO_ENDS_NONE)
        end_state(trace, thread, trace->ends.times[thread]);
}

// --- events of one time: first those who wait are woken, then CPUs are left, then taken ---

static bool continues(const struct timeline_event *wait, const struct timeline_event *event)
{
    return wait && wait->state == STATE_BLOCKED && event->state == STATE_BLOCKED &&
           wait->stack == event->stack && wait->labels == event->labels &&
           wait->woken_by == TIMELINE_NONE;
}

static void begin(struct trace_go *trace, size_t number)
{
    const struct timeline_event *event = &trace->timeline->events[number];
    const struct timeline_event *before = present(trace, event->thread);
    if (go_scheduler_waits(&trace->scheduler, event->thread) && !continues(before, event))
        wake(trace, event->thread, event->state == STATE_QUEUED ? event->stack : 0);
    if (before && end_of(before) > event->time)
        trace->scheduler.cut++;
    trace->doing[event->thread].event = number;
    go_ends_set(&trace->ends, event->thread, end_of(event));
}

// Readers count no waiting for a CPU before a goroutine ran first, or without a stack of its waker.
static void queue_from_birth(struct trace_go *trace, const struct timeline_event *event)
{
    go_scheduler_block(&trace->scheduler, event->thread, GO_BLOCK, 0);
    go_scheduler_wake(&trace->scheduler, event->thread, GO_NO_THREAD,
                      go_symbols_stack(&trace->symbols, event->stack));
}

static void create(struct trace_go *trace, const struct timeline_event *event)
{
    const struct plain_profile *profile = trace->timeline->profile;
    const struct plain_label *name =
        plain_label(profile, trace->timeline->threads[event->thread], "thread");
    go_scheduler_create(&trace->scheduler, event->thread,
                        go_symbols_name(&trace->symbols, name ? name->text : 0));
    if (event->state == STATE_QUEUED)
        queue_from_birth(trace, event);
    if (!trace->told)
        go_scheduler_log(&trace->scheduler, event->thread, GO_TEXT_KEY,
                         trace->timeline->exact ? EXACT_TEXT : SEEN_TEXT);
    trace->told = true;
}

static void leave_cpu(struct trace_go *trace, size_t number)
{
    const struct timeline_event *event = &trace->timeline->events[number];
    const struct go_thread *thread = &trace->scheduler.threads[event->thread];
    uint32_t stack = is_running(event) ? 0 : event->stack;
    if (thread->state == GO_UNBORN)
        create(trace, event);
    if (event->state == STATE_BLOCKED && !go_scheduler_waits(&trace->scheduler, event->thread))
        go_scheduler_block(&trace->scheduler, event->thread, kind_of(trace, event->labels),
                           go_symbols_stack(&trace->symbols, stack));
    if (event->state == STATE_BLOCKED || thread->state != GO_RUNNING)
        return;
    uint32_t cpu = cpu_of(event);
    if (!is_running(event) || (cpu != GO_NOBODY && cpu != thread->p))
        go_scheduler_preempt(&trace->scheduler, event->thread,
                             go_symbols_stack(&trace->symbols, stack));
}

static void take_cpu(struct trace_go *trace, size_t number)
{
    const struct timeline_event *event = &trace->timeline->events[number];
    if (!is_running(event))
        return;
    go_scheduler_run(&trace->scheduler, event->thread, cpu_of(event));
    if (event->stack && trace->scheduler.threads[event->thread].state == GO_RUNNING)
        go_scheduler_sample(&trace->scheduler, event->thread,
                            go_symbols_stack(&trace->symbols, event->stack));
}

// An event that another one of its thread follows at the same time has lasted for none.
static bool lasts(const struct trace_go *trace, size_t number, size_t behind)
{
    const struct timeline_event *events = trace->timeline->events;
    return number + 1 == behind || events[number].thread != events[number + 1].thread;
}

static size_t behind_time(const struct timeline *timeline, size_t number)
{
    int64_t time = timeline->events[number].time;
    while (number < timeline->event_count && timeline->events[number].time == time)
        number++;
    return number;
}

static void for_each(struct trace_go *trace, size_t from, size_t behind,
                     void (*act)(struct trace_go *trace, size_t number))
{
    for (size_t i = from; i < behind; i++)
        if (lasts(trace, i, behind))
            act(trace, i);
}

static void put_events(struct trace_go *trace)
{
    const struct timeline *timeline = trace->timeline;
    for (size_t at = 0, behind; at < timeline->event_count; at = behind) {
        int64_t time = timeline->events[at].time;
        behind = behind_time(timeline, at);
        end_states(trace, time - 1);
        set_now(trace, time);
        for_each(trace, at, behind, begin);
        end_states(trace, time);
        for_each(trace, at, behind, leave_cpu);
        for_each(trace, at, behind, take_cpu);
    }
}

// --- the whole ---

static void tell_cuts(struct trace_go *trace, uint32_t thread)
{
    AUTO_BUF struct buf text = {0};
    buf_printf(&text, "%" PRIu64 " states were cut short by others", trace->scheduler.cut);
    go_scheduler_log(&trace->scheduler, thread, GO_TEXT_KEY, text.data);
}

// States that last until the end are ended there, since readers count only those that end: who
// waits is woken, and who is queued steps on. Go 1.19 fails if somebody runs on.
static void finish(struct trace_go *trace)
{
    struct go_scheduler *scheduler = &trace->scheduler;
    uint32_t alive = GO_NO_THREAD;
    end_states(trace, trace->end);
    set_now(trace, trace->end);
    for (uint32_t i = 0; i < trace->timeline->thread_count; i++) {
        const struct go_thread *thread = &scheduler->threads[i];
        if (go_scheduler_waits(scheduler, i))
            wake(trace, i, 0);
        else if (thread->state == GO_RUNNING || thread->state == GO_RUNNABLE)
            go_scheduler_preempt(scheduler, i, 0);
        if (thread->state == GO_RUNNABLE)
            alive = i;
    }
    if (scheduler->cut && alive != GO_NO_THREAD)
        tell_cuts(trace, alive);
    go_scheduler_count(scheduler);
}

static void survey(struct trace_go *trace)
{
    const struct timeline *timeline = trace->timeline;
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        if (!i || event->time < trace->first)
            trace->first = event->time;
        if (cpu_of(event) != GO_NOBODY && event->cpu >= trace->cpus)
            trace->cpus = event->cpu + 1;
        trace->doing[event->thread].last = i;
    }
    trace->end = trace->first;
    for (size_t i = 0; i < timeline->thread_count; i++) {
        size_t last = trace->doing[i].last;
        if (last != NO_EVENT && end_of(&timeline->events[last]) > trace->end)
            trace->end = end_of(&timeline->events[last]);
    }
}

// A goroutine has the tid of its thread for a number. A tid may be used again.
static void number_goroutines(struct trace_go *trace)
{
    struct map seen = {0};
    for (uint32_t i = 0; i < trace->timeline->thread_count; i++) {
        const struct plain_label *tid =
            plain_label(trace->timeline->profile, trace->timeline->threads[i], "tid");
        bool own = tid && tid->number > 0 && tid->number <= INT32_MAX &&
                   !map_get(&seen, (uint64_t)tid->number, 0);
        trace->scheduler.threads[i].id = own ? (uint64_t)tid->number : OTHER_IDS + i;
        if (own)
            map_put(&seen, (uint64_t)tid->number, 1);
    }
    map_fini(&seen);
}

enum rc trace_go_write(const struct timeline *timeline, FILE *out, struct err *err)
{
    struct trace_go trace = {.timeline = timeline};
    trace.doing = xcalloc(timeline->thread_count + 1, sizeof *trace.doing);
    trace.kinds = xcalloc(timeline->profile->labels.set_count + 1, sizeof *trace.kinds);
    for (size_t i = 0; i < timeline->thread_count; i++)
        trace.doing[i] = (struct go_doing){NO_EVENT, NO_EVENT};
    survey(&trace);
    go_encoder_init(&trace.encoder, out, err);
    go_symbols_init(&trace.symbols, timeline->profile, &trace.encoder);
    go_scheduler_init(&trace.scheduler, &trace.encoder, timeline->thread_count, trace.cpus);
    go_ends_init(&trace.ends, timeline->thread_count);
    number_goroutines(&trace);
    go_scheduler_count(&trace.scheduler);
    put_events(&trace);
    finish(&trace);
    go_ends_fini(&trace.ends);
    go_scheduler_fini(&trace.scheduler);
    go_symbols_fini(&trace.symbols);
    free(trace.doing);
    free(trace.kinds);
    return go_encoder_fini(&trace.encoder);
}
