// SPDX-License-Identifier: MIT
// What the parts of a census share, inside its own process.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump/census.h"
#include "sample/stops.h"

// How long a thread has to stop after it was asked; one that gets no CPU meanwhile has longer.
#define CENSUS_STOP_NS (200 * NS_PER_MS)

struct census {
    struct control *control;
    const struct census_config *config;
    int task_fd; // /proc/PID/task
    struct stack_pages pages;
    struct sleep_clock sleep;
    struct census_record *scratch; // room for one thread
    pid_t *tids; // in the order in which they were listed
    size_t count, capacity;
    struct map listed; // tid -> 1
    struct stops stops;
    bool blocked; // an exec did not let us attach for too long: no more threads are asked
};

struct census_held { // a thread from the request to stop until its release
    struct in_place_thread thread; // as it was before
    int64_t look_at;  // CLOCK_MONOTONIC ns, when to see whether it runs on instead of stopping
    uint64_t run_ns;  // when that was seen last; 0: never
    bool runs_on;
};

// Returns what of the thread's stack is to be copied, and the room that takes.
struct stack_request census_request(const struct census *census, pid_t tid);

// Reads the thread where it sleeps into census->scratch.
enum in_place census_read(struct census *census, pid_t tid);

// Appends the threads that are to be taken and not listed yet.
void census_list(struct census *census);

// Returns whether the main process has left room in the ring for that many records.
bool census_has_room(const struct census *census, size_t records);

// Sleeps for a moment in which the main process can take records out. Threads that have stopped
// meanwhile are let go: it may be long until the main process goes on, and for ever if somebody
// stopped that one.
void census_nap(struct census *census);

// Tells the main process that the census gets on, and reads that thread now.
void census_gets_on(struct census *census, pid_t tid);

// Returns whether no running thread is to be waited for any more.
bool census_is_over(const struct census *census);

// Completes the record with what was known before, and tells it.
void census_tell(struct census *census, struct census_record *record);

// Tells what is known of a thread that could not be held.
void census_tell_unheld(struct census *census, const struct in_place_thread *thread,
                        uint32_t flags);

// Asks the thread to stop, which then is pending in census->stops. Returns false when it is gone,
// or somebody else traces it.
bool census_ask(struct census *census, struct census_held *held);

// Copies a held thread into the record.
void census_copy(struct census *census, const struct census_held *held, const struct hold *hold,
                 struct census_record *record, const struct stack_request *request);

// Holds the threads of `tids`, which run, one by one.
void census_one_by_one(struct census *census, const pid_t *tids, size_t count);

// Holds all threads of census->tids, and those that begin meanwhile, at one moment.
void census_together(struct census *census);
