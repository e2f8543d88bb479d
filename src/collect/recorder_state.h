// SPDX-License-Identifier: MIT
// The state and functions that the files of the recorder share. Their callers hold the lock.
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "collect/event_file.h"
#include "collect/recorder.h"

struct ticks { // of a thread whose switches nobody tells
    struct recorder_look *looks;
    size_t count, capacity;
    struct recorder_look asleep; // the last one that found it blocked; time 0: none
};

struct recorded_thread {
    pid_t pid, tid;
    uint32_t comm;  // text of the timeline's profile
    bool listed;    // its switches are told
    bool unheard;   // nobody will tell them
    int64_t met_at; // when the sampler told of it
    bool open;      // its newest event goes on
    bool guessed;   // and nobody knows what it is: the first switch says it
    bool sleeps;    // what that was taken for
    bool ended;
    int64_t ended_at;
    int64_t newest; // number of its newest event; -1: none
    struct timeline_event old; // the newest one of those that gave way
    int64_t old_number;        // -1: none
    struct ticks *ticks;       // owned; NULL: none
};

struct recorder {
    pthread_mutex_t lock;
    struct event_file file;
    struct timeline *timeline;
    struct recorded_thread *threads; // [thread of the timeline]
    size_t thread_count, thread_capacity;
    struct map tids; // tid -> thread, as of the newest one with that tid
    struct { // numbers of threads that have ended, in that order
        uint32_t *list;
        size_t first, count, capacity; // [first, count) are those whose places are still taken
    } ended;
    struct recorded_cpu {
        uint32_t running; // the thread that runs there, or TIMELINE_NONE
        uint32_t left_by; // the last one that left it
        int64_t left_at;
    } *cpus;
    size_t cpu_count, cpu_capacity;
    struct recorder_look *waiting; // for the switches around them
    size_t waiting_count, waiting_capacity;
    bool expects; // switches are told, of most threads
    int64_t told_until;
    int64_t since;     // ns from the beginning, from when on all is there
    uint64_t dropped;  // events that gave way
    uint64_t unplaced; // looks of which no event was found
};

// Returns the newest thread with that tid, or NULL.
struct recorded_thread *recorder_thread(struct recorder *recorder, pid_t tid);

// Returns the event with that number of the thread, or NULL if it is gone for good.
struct timeline_event *recorder_event(const struct recorder *recorder,
                                      struct recorded_thread *thread, int64_t number);

// Returns the number of the event of the thread before that one; -1: it is not there any more.
int64_t recorder_before(const struct recorder *recorder, int64_t number);

// Appends an event to those of the thread.
void recorder_append(struct recorder *recorder, struct recorded_thread *thread,
                     struct timeline_event event);

// Gives the look's stack to the event that it lies in.
void recorder_place(struct recorder *recorder, const struct recorder_look *look);

// A survey found the thread still where it slept last; thread->ticks says where.
void recorder_still(struct recorder *recorder, struct recorded_thread *thread);

// Keep what tells states of a thread without switches, and forget it.
void recorder_tick(struct recorded_thread *thread, const struct recorder_look *look);
void recorder_forget_ticks(struct recorded_thread *thread);

// Makes events of a period.
void recorder_share(struct recorder *recorder, struct recorded_thread *thread,
                    const struct recorder_period *period);
