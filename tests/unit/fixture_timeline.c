// SPDX-License-Identifier: MIT
#include "fixture_timeline.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#define PID 4242
#define NONE TIMELINE_NONE

static uint32_t mapping(struct plain_profile *profile, const char *file, uint64_t start)
{
    return plain_add_mapping(profile, (struct plain_mapping){
                                          .start = start,
                                          .limit = start + 0x10000,
                                          .file = plain_text(profile, file),
                                          .build_id = plain_text(profile, "c0ffee"),
                                      });
}

// A location in line 7 of one function or, if `into` is not NULL, of one that is inlined into it.
static uint32_t location(struct plain_profile *profile, uint32_t mapping, uint64_t address,
                         const char *name, const char *into)
{
    struct plain_line lines[2];
    const char *const names[] = {name, into};
    size_t count = into ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        struct plain_function function = {.name = plain_text(profile, names[i]),
                                          .file = plain_text(profile, "pool.cc")};
        lines[i] = (struct plain_line){.function = plain_add_function(profile, function),
                                       .line = 7};
    }
    return plain_add_location(profile, mapping, address, lines, count);
}

static uint32_t thread(struct timeline *timeline, int64_t tid, const char *name,
                       const char *process)
{
    struct plain_profile *profile = timeline->profile;
    uint32_t set = plain_with_text(profile, 0, "thread", name);
    set = plain_with_number(profile, set, "tid", tid);
    set = plain_with_text(profile, set, "comm", process);
    return timeline_add_thread(timeline, plain_with_number(profile, set, "pid", PID));
}

static uint32_t waits(struct plain_profile *profile, const char *wait, const char *lock)
{
    return plain_with_text(profile, plain_with_text(profile, 0, "wait", wait), "lock", lock);
}

struct timeline *fixture_timeline(void)
{
    struct timeline *timeline = timeline_new();
    struct plain_profile *profile = timeline->profile;
    profile->time = 1700000000LL * NS_PER_S;
    plain_add_comment(profile, "made by hand\n: \"all\" of it");
    timeline->exact = true;
    uint32_t server = mapping(profile, "/srv/my app (2)/server", 0x401000);
    uint32_t libc = mapping(profile, "/lib/libc.so.6", 0x7f0000000000);
    uint32_t kernel = mapping(profile, "[kernel]", 0);
    uint32_t root = plain_child(profile, 0, location(profile, server, 0x401100, "main", NULL));
    uint32_t work = plain_child(
        profile, root,
        location(profile, server, 0x401200, "operator+(Job, Job)", "(anonymous namespace)::sum"));
    uint32_t wait = plain_child(
        profile, root, location(profile, server, 0x401300, "Ptr<Job>::operator->()", NULL));
    wait = plain_child(profile, wait, location(profile, libc, 0x7f0000000040, "libc.so.6+0x40",
                                               NULL));
    uint32_t futex = plain_child(profile, wait,
                                 location(profile, kernel, 1, "futex \"w\"\t\xff", NULL));
    uint32_t unnamed = plain_child(profile, root,
                                   plain_add_location(profile, libc, 0x7f0000000080, NULL, 0));
    uint32_t nowhere = plain_child(profile, unnamed,
                                   plain_add_location(profile, PLAIN_NONE, 0x10, NULL, 0));
    uint32_t leader = thread(timeline, PID, "server", "server");
    uint32_t worker = thread(timeline, PID + 1, "worker\xe2\x80\x83 7", "server");
    uint32_t odd = thread(timeline, PID + 2, "#1 {\xff", "server");
    const int64_t ms = NS_PER_MS;
    uint32_t lock = waits(profile, "lock", "q<1>");
    const struct timeline_event events[] = {
        {0, 40 * ms, leader, STATE_RUNNING, work, 0, NONE, 0},
        {0, 25 * ms + 1, worker, STATE_BLOCKED, futex, NONE, leader, lock},
        {0, 50 * ms, odd, STATE_BLOCKED, 0, NONE, NONE, 0},
        {25 * ms + 1, 5 * ms, worker, STATE_QUEUED, futex, NONE, NONE, 0},
        {30 * ms + 1, 30 * ms - 1, worker, STATE_RUNNING, work, 1, NONE, 0},
        {40 * ms, 20 * ms, leader, STATE_BLOCKED, wait, NONE, worker, waits(profile, "poll", "")},
        {50 * ms, 15 * ms, odd, STATE_RUNNING, 0, NONE, NONE, 0},
        {60 * ms, 40 * ms, leader, STATE_RUNNING, nowhere, 0, NONE, 0},
        {60 * ms, 0, worker, STATE_RUNNING, work, 1, NONE, 0},
        {60 * ms, 40 * ms, worker, STATE_BLOCKED, futex, NONE, NONE, waits(profile, "lock", "")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++)
        timeline_append(timeline, events[i]);
    return timeline;
}

// --- at random ---

#define STACKS 12
#define LOCKS 4

struct random_thread {
    struct timeline_event event; // its present one
    int64_t until; // that it ends; INT64_MAX: when a CPU is free
};

struct random_program {
    struct timeline *timeline;
    uint64_t random;
    struct random_thread *threads;
    size_t thread_count, cpus;
    size_t *running; // [cpu]: thread + 1, 0: none
    uint32_t stacks[STACKS], waits[LOCKS];
};

static size_t below(struct random_program *program, size_t limit)
{
    return (size_t)(random_next(&program->random) >> 8) % limit;
}

static void make_code(struct random_program *program)
{
    struct plain_profile *profile = program->timeline->profile;
    uint32_t file = mapping(profile, "/srv/server", 0x401000);
    uint32_t at = plain_child(profile, 0, location(profile, file, 0x401000, "main", NULL));
    for (size_t i = 0; i < STACKS; i++) {
        AUTO_FREE char *name = xasprintf("handle_%zu", i);
        uint32_t place = location(profile, file, 0x401010 + 16 * i, name, i % 3 ? NULL : "outer");
        at = plain_child(profile, i % 4 ? at : profile->stacks.nodes[at].parent, place);
        program->stacks[i] = at;
    }
    for (size_t i = 0; i < LOCKS; i++) {
        AUTO_FREE char *lock = xasprintf("locks[%zu]", i);
        program->waits[i] = waits(profile, i ? "lock" : "poll", i ? lock : "");
    }
}

// Ends the present event of a thread and begins another one.
static void change(struct random_program *program, size_t number, enum profile_state state,
                   int64_t time, uint32_t cpu)
{
    struct random_thread *thread = &program->threads[number];
    thread->event.duration = time - thread->event.time;
    if (thread->event.duration || !below(program, 50))
        timeline_append(program->timeline, thread->event);
    int64_t lasts = (int64_t)below(program, (size_t)(below(program, 4) ? 200000 : 20000000));
    thread->until = state == STATE_QUEUED ? INT64_MAX : time + 1 + lasts;
    thread->event = (struct timeline_event){
        .time = time,
        .thread = (uint32_t)number,
        .state = state,
        .stack = below(program, 40) ? program->stacks[below(program, STACKS)] : 0,
        .cpu = cpu,
        .woken_by = NONE,
        .labels = state == STATE_BLOCKED ? program->waits[below(program, LOCKS)] : 0,
    };
}

static void give_cpus(struct random_program *program, int64_t time)
{
    for (size_t cpu = 0; cpu < program->cpus; cpu++) {
        size_t first = SIZE_MAX;
        for (size_t i = 0; i < program->thread_count && !program->running[cpu]; i++)
            if (program->threads[i].event.state == STATE_QUEUED &&
                (first == SIZE_MAX ||
                 program->threads[i].event.time < program->threads[first].event.time))
                first = i;
        if (first == SIZE_MAX)
            continue;
        change(program, first, STATE_RUNNING, time, (uint32_t)cpu);
        program->running[cpu] = first + 1;
    }
}

static void end_state(struct random_program *program, size_t number)
{
    struct random_thread *thread = &program->threads[number];
    int64_t time = thread->until;
    size_t waker = program->running[below(program, program->cpus)];
    if (thread->event.state == STATE_RUNNING) {
        program->running[thread->event.cpu] = 0;
        change(program, number, below(program, 3) ? STATE_BLOCKED : STATE_QUEUED, time, NONE);
    } else {
        thread->event.woken_by = waker ? (uint32_t)(waker - 1) : NONE;
        change(program, number, STATE_QUEUED, time, NONE);
    }
    give_cpus(program, time);
}

static void run(struct random_program *program, size_t events)
{
    while (program->timeline->event_count < events) {
        size_t next = 0;
        for (size_t i = 1; i < program->thread_count; i++)
            if (program->threads[i].until < program->threads[next].until)
                next = i;
        end_state(program, next);
    }
}

struct timeline *fixture_timeline_random(uint64_t seed, size_t threads, size_t cpus,
                                         size_t events)
{
    struct random_program program = {
        .timeline = timeline_new(),
        .random = seed * 2 + 1,
        .threads = xcalloc(threads, sizeof *program.threads),
        .thread_count = threads,
        .cpus = cpus,
        .running = xcalloc(cpus, sizeof *program.running),
    };
    program.timeline->profile->time = 1700000000LL * NS_PER_S;
    make_code(&program);
    for (size_t i = 0; i < threads; i++) {
        AUTO_FREE char *name = xasprintf("worker %zu", i);
        thread(program.timeline, PID + (int64_t)i, i ? name : "server", "server");
        program.threads[i].event = (struct timeline_event){
            .thread = (uint32_t)i, .state = STATE_QUEUED, .cpu = NONE, .woken_by = NONE};
        program.threads[i].until = INT64_MAX;
    }
    give_cpus(&program, 0);
    run(&program, events);
    timeline_sort(program.timeline);
    free(program.threads);
    free(program.running);
    return program.timeline;
}
