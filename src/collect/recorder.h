// SPDX-License-Identifier: MIT
// The recorder makes a timeline of what it is told of threads. Two tell it what they do:
//   switches  the kernel's records (collect/switches.h): exact; each is told once, in order of time
//   periods   where there are none: looks, and the times of schedstat, of which it makes states
//             that add up to them, around the looks (recorder_ticks.c)
// and looks give events their stacks: each to the event that its time lies in, when the switches
// around it have been told. Any thread may call these functions. Times are CLOCK_MONOTONIC ns.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "profile/run.h"
#include "profile/timeline.h"

struct recorder;

struct recorder_options {
    const char *const *directories; // where its file may be, in this order; ends in NULL
    uint64_t max_size;              // of the file
};

// Fails with RC_IO.
enum rc recorder_new(const struct recorder_options *options, struct recorder **recorder,
                     struct err *err) MUST_CHECK;
void recorder_free(struct recorder *recorder);

// --- threads ---

// Tells of a thread that exists, and its name.
void recorder_meet(struct recorder *recorder, pid_t pid, pid_t tid, const char *comm);

// From now on the switches of the thread are told. sleeps: it did when it was looked at last.
void recorder_list(struct recorder *recorder, pid_t pid, pid_t tid, bool sleeps, int64_t time);
bool recorder_is_listed(struct recorder *recorder, pid_t tid);

// Says whether switches will be told at all, and of which thread they will not.
void recorder_expect(struct recorder *recorder, bool expects);
void recorder_miss(struct recorder *recorder, pid_t tid);

// --- switches ---

struct recorder_turn { // from `time` on the thread is in this state
    pid_t pid, tid;
    int64_t time;
    uint32_t cpu;
    enum profile_state state; // STATE_RUNNING and those behind it
};
void recorder_turn(struct recorder *recorder, const struct recorder_turn *turn);
void recorder_birth(struct recorder *recorder, pid_t pid, pid_t tid, pid_t parent, int64_t time);
void recorder_end(struct recorder *recorder, pid_t tid, int64_t time);
void recorder_name(struct recorder *recorder, pid_t pid, pid_t tid, const char *comm);

// The process runs another program: of its threads only the one with its number is left.
void recorder_exec(struct recorder *recorder, pid_t pid, uint32_t cpu, int64_t time);

// All switches up to that time have been told.
void recorder_told_until(struct recorder *recorder, int64_t time);

// --- looks ---

struct recorder_look { // what was seen of a thread
    pid_t tid;
    int64_t time;
    enum profile_state state; // STATE_RUNNING: it was taken from its CPU for it; STATE_BLOCKED
    uint32_t stack;           // node of the store
    uint32_t wait;            // number of the store's wait; 0: it is not known
    bool stopped;             // by us, for the look
    pid_t owner;              // that holds what it waits for; 0: nobody, or not known
};
void recorder_look(struct recorder *recorder, const struct recorder_look *look);

// Times of a thread up to `time`, by schedstat.
struct recorder_period {
    pid_t tid;
    int64_t time;
    uint64_t elapsed, running, queued; // ns; elapsed: 0: not known
    bool ended;
};
void recorder_period(struct recorder *recorder, const struct recorder_period *period);

// The thread still slept at some times since its last look, where that look found it.
void recorder_asleep(struct recorder *recorder, pid_t tid);

// --- the end ---

// Ends all events at that time and returns the timeline, whose time 0 is `start`. Its stacks and
// labels are still nodes and waits of the store (fill_timeline). The caller frees it. Fails with
// RC_LIMIT.
enum rc recorder_finish(struct recorder *recorder, int64_t start, int64_t end,
                        struct timeline **timeline, struct err *err) MUST_CHECK;
void recorder_facts(struct recorder *recorder, struct run_trace *facts);
