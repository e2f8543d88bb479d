// SPDX-License-Identifier: MIT
#include "fixture_timeline.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#define STACKS 200
#define DEPTH 300 // frames of the deepest one
#define STEP (100 * NS_PER_US) // at most, from one event to the next
#define TICK (10 * NS_PER_MS)

static const char *const waits[] = {"lock", "condition", "semaphore", "barrier", "join", "futex",
                                    "poll", "socket", "pipe", "file", "sleep", "fault", "disk",
                                    "child", "signal", "stopped", "other", NULL};

static uint32_t frame(struct plain_profile *profile, uint64_t address, const char *name,
                      const char *inlined)
{
    const char *names[] = {inlined ? inlined : name, name};
    struct plain_line lines[2];
    size_t count = inlined ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        struct plain_function function = {.name = plain_text(profile, names[i]),
                                          .file = plain_text(profile, "scene.c")};
        lines[i].function = plain_add_function(profile, function);
        lines[i].line = (int64_t)(address + i);
    }
    return plain_add_location(profile, PLAIN_NONE, address, lines, count);
}

// The stack of a function that main has called.
static uint32_t stack_of(struct timeline *timeline, uint64_t line, const char *name,
                         const char *inlined)
{
    struct plain_profile *profile = timeline->profile;
    uint32_t root = profile->stacks.count > 1
                        ? 1
                        : plain_child(profile, 0, frame(profile, 10, "main", NULL));
    return plain_child(profile, root, frame(profile, line, name, inlined));
}

static uint32_t wait_labels(struct timeline *timeline, const char *wait)
{
    return wait ? plain_with_text(timeline->profile, 0, "wait", wait) : 0;
}

static uint32_t add_thread(struct timeline *timeline, int64_t tid, const char *name)
{
    uint32_t set = plain_with_number(timeline->profile, 0, "tid", tid);
    set = plain_with_number(timeline->profile, set, "pid", 100);
    set = plain_with_text(timeline->profile, set, "comm", "scene");
    return timeline_add_thread(timeline, plain_with_text(timeline->profile, set, "thread", name));
}

struct scene_row { // of a thread, until the time of the next one or the end; ms
    int64_t time;
    uint32_t thread;
    enum profile_state state;
    int stack;
    uint32_t cpu, woken_by;
    const char *wait;
};

enum { SCENE_WORK, SCENE_LOCK, SCENE_NAP, SCENE_RECEIVE, SCENE_READ, SCENE_LOOP, SCENE_WAIT };

static void put_row(struct timeline *timeline, const struct scene_row *row, int64_t end,
                    const uint32_t *stacks)
{
    timeline_append(timeline, (struct timeline_event){
                                  .time = row->time * NS_PER_MS,
                                  .duration = (end - row->time) * NS_PER_MS,
                                  .thread = row->thread,
                                  .state = row->state,
                                  .stack = stacks[row->stack],
                                  .cpu = row->cpu,
                                  .woken_by = row->woken_by,
                                  .labels = wait_labels(timeline, row->wait),
                              });
}

struct timeline *fixture_timeline_scene(void)
{
    static const uint32_t none = TIMELINE_NONE;
    static const struct scene_row rows[] = {
        {0, 0, STATE_BLOCKED, SCENE_WAIT, none, none, "condition"},
        {0, 1, STATE_RUNNING, SCENE_WORK, 0, none, NULL},
        {100, 1, STATE_BLOCKED, SCENE_NAP, none, none, "sleep"},
        {0, 2, STATE_BLOCKED, SCENE_LOCK, none, 1, "lock"},
        {90, 2, STATE_QUEUED, SCENE_LOCK, none, none, NULL},
        {110, 2, STATE_RUNNING, SCENE_WORK, 0, none, NULL},
        {200, 2, STATE_BLOCKED, SCENE_RECEIVE, none, 0, "socket"}, // by one that does not run
        {350, 2, STATE_RUNNING, SCENE_WORK, 0, none, NULL},
        {0, 3, STATE_BLOCKED, SCENE_READ, none, none, "disk"},
        {250, 3, STATE_RUNNING, SCENE_WORK, 1, none, NULL},
        {300, 3, STATE_BLOCKED, SCENE_LOOP, none, none, "poll"},
        {120, 4, STATE_RUNNING, SCENE_WORK, 1, none, NULL}, // of a thread that ends
        {0, 5, STATE_QUEUED, SCENE_WORK, none, none, NULL},
    };
    struct timeline *timeline = timeline_new();
    timeline->exact = true;
    add_thread(timeline, 100, "main");
    for (int64_t tid = 101; tid < 103; tid++)
        add_thread(timeline, tid, "worker");
    add_thread(timeline, 103, "disk & net");
    add_thread(timeline, 104, "worker");
    add_thread(timeline, 105, "starved");
    const uint32_t stacks[] = {
        stack_of(timeline, 20, "work", "crunch"), stack_of(timeline, 30, "take_lock", NULL),
        stack_of(timeline, 40, "nap", NULL),      stack_of(timeline, 50, "receive", NULL),
        stack_of(timeline, 60, "read_disk", NULL), stack_of(timeline, 70, "event_loop", NULL),
        stack_of(timeline, 80, "wait_for_work", NULL),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        bool more = i + 1 < ARRAY_LENGTH(rows) && rows[i + 1].thread == rows[i].thread;
        int64_t end = more ? rows[i + 1].time : rows[i].thread == 4 ? 180 : 400;
        put_row(timeline, &rows[i], end, stacks);
    }
    timeline_sort(timeline);
    return timeline;
}

// --- by chance ---

struct simulation {
    struct timeline *timeline;
    uint64_t random;
    int64_t now, step;
    struct timeline_event *present; // [thread]
    uint32_t threads, cpus;
    uint32_t *runs; // [CPU]: thread
    uint32_t first_stack, deep_stack;
    bool keep_cpus;
};

static uint32_t pick(struct simulation *simulation, uint32_t count)
{
    return (uint32_t)(random_next(&simulation->random) % count);
}

static uint32_t some_stack(struct simulation *simulation)
{
    bool known = simulation->timeline->exact || pick(simulation, 10);
    if (!pick(simulation, 50))
        return simulation->deep_stack;
    return known ? simulation->first_stack + pick(simulation, STACKS) : 0;
}

static void change(struct simulation *simulation, uint32_t thread, enum profile_state state,
                   uint32_t woken_by)
{
    struct timeline_event *event = &simulation->present[thread];
    event->duration = simulation->now - event->time;
    event->woken_by = woken_by;
    if (!simulation->keep_cpus)
        event->cpu = TIMELINE_NONE;
    if (event->duration)
        timeline_append(simulation->timeline, *event);
    const char *wait = waits[pick(simulation, ARRAY_LENGTH(waits))];
    *event = (struct timeline_event){
        .time = simulation->now,
        .thread = thread,
        .state = state,
        .stack = some_stack(simulation),
        .cpu = TIMELINE_NONE,
        .labels = state == STATE_BLOCKED ? wait_labels(simulation->timeline, wait) : 0,
    };
}

// Gives CPUs that run nobody to those who wait for one.
static void schedule(struct simulation *simulation)
{
    uint32_t from = pick(simulation, simulation->threads);
    for (uint32_t cpu = 0; cpu < simulation->cpus; cpu++)
        for (uint32_t i = 0; i < simulation->threads; i++) {
            uint32_t thread = (from + i) % simulation->threads;
            if (simulation->runs[cpu] != TIMELINE_NONE ||
                simulation->present[thread].state != STATE_QUEUED)
                continue;
            change(simulation, thread, STATE_RUNNING, TIMELINE_NONE);
            simulation->runs[cpu] = thread;
            simulation->present[thread].cpu = cpu;
        }
}

static void step(struct simulation *simulation)
{
    uint32_t cpu = pick(simulation, simulation->cpus);
    uint32_t runner = simulation->runs[cpu];
    uint32_t other = pick(simulation, simulation->threads);
    simulation->now += 1 + pick(simulation, (uint32_t)simulation->step);
    if (simulation->present[other].state == STATE_BLOCKED) {
        change(simulation, other, STATE_QUEUED, pick(simulation, 3) ? runner : TIMELINE_NONE);
    } else if (runner != TIMELINE_NONE) {
        enum profile_state state = pick(simulation, 4) ? STATE_BLOCKED : STATE_QUEUED;
        change(simulation, runner, state, TIMELINE_NONE);
        simulation->runs[cpu] = TIMELINE_NONE;
    }
    schedule(simulation);
}

static void damage(struct simulation *simulation, struct timeline_event *event)
{
    int64_t by = pick(simulation, 2 * STEP);
    switch (pick(simulation, 60)) {
    case 0: event->duration += by; break;
    case 1: event->duration -= event->duration < by ? event->duration : by; break;
    case 2: event->time = event->time < by ? 0 : event->time - by; break;
    case 3: event->time += by; break;
    case 4: event->duration = 0; break;
    case 5: event->cpu = TIMELINE_NONE; break;
    case 6: event->cpu = pick(simulation, simulation->cpus); break;
    case 7: event->cpu = pick(simulation, TIMELINE_NONE); break;
    case 8: event->woken_by = pick(simulation, simulation->threads); break;
    case 9: event->state = STATE_RUNNING + (enum profile_state)pick(simulation, 3); break;
    default: break;
    }
}

static void make_by_tick(struct timeline_event *event)
{
    int64_t end = (event->time + event->duration) / TICK * TICK;
    event->time = event->time / TICK * TICK;
    event->duration = end - event->time;
}

static void begin_simulation(struct simulation *simulation)
{
    struct timeline *timeline = simulation->timeline;
    char name[32];
    for (uint32_t i = 0; i < simulation->threads; i++) {
        snprintf(name, sizeof name, "thread %u", i % 7);
        // Each tenth has the tid of another one, each eleventh none.
        add_thread(timeline, i % 11 ? i % 10 ? (int64_t)i + 1 : 5 : 0, i % 13 ? name : "");
        simulation->present[i] = (struct timeline_event){
            .thread = i, .state = i % 3 ? STATE_BLOCKED : STATE_QUEUED, .cpu = TIMELINE_NONE};
    }
    simulation->first_stack = stack_of(timeline, 20, "function 0", NULL);
    for (unsigned i = 1; i < STACKS; i++) {
        snprintf(name, sizeof name, "function %u", i % 50);
        stack_of(timeline, 20 + i, name, i % 3 ? NULL : "inlined");
    }
    simulation->deep_stack = simulation->first_stack;
    for (uint32_t i = 0; i < DEPTH; i++)
        simulation->deep_stack = plain_child(timeline->profile, simulation->deep_stack,
                                             frame(timeline->profile, 1000, "recursion", NULL));
    for (uint32_t i = 0; i < simulation->cpus; i++)
        simulation->runs[i] = TIMELINE_NONE;
}

struct timeline *fixture_timeline_random(enum fixture_timeline kind, size_t events,
                                         uint32_t threads, uint32_t cpus, uint64_t seed)
{
    struct simulation simulation = {
        .timeline = timeline_new(),
        .random = seed * 2 + 1,
        .step = kind == TIMELINE_TICKS ? TICK : STEP,
        .threads = threads,
        .cpus = cpus,
        .keep_cpus = kind != TIMELINE_TICKS,
    };
    simulation.timeline->exact = kind == TIMELINE_SWITCHES;
    simulation.present = xcalloc(threads, sizeof *simulation.present);
    simulation.runs = xcalloc(cpus, sizeof *simulation.runs);
    begin_simulation(&simulation);
    while (simulation.timeline->event_count < events)
        step(&simulation);
    for (uint32_t i = 0; i < threads; i++)
        change(&simulation, i, STATE_BLOCKED, TIMELINE_NONE);
    for (size_t i = 0; kind == TIMELINE_DAMAGED && i < events; i++)
        damage(&simulation, &simulation.timeline->events[i]);
    for (size_t i = 0; kind == TIMELINE_TICKS && i < simulation.timeline->event_count; i++)
        make_by_tick(&simulation.timeline->events[i]);
    timeline_sort(simulation.timeline);
    free(simulation.present);
    free(simulation.runs);
    return simulation.timeline;
}
