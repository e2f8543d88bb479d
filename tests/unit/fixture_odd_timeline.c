// SPDX-License-Identifier: MIT
#include "fixture_odd_timeline.h"

#include "base/clock.h"
#include "base/mem.h"

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

struct timeline *fixture_odd_timeline(void)
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
