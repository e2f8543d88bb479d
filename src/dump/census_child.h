// SPDX-License-Identifier: MIT
// What the parts of a census share, inside its own process.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump/census.h"
#include "sample/stops.h"

// That a thread has to stop after it was asked; one that gets no CPU meanwhile has longer.
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
    bool kept_out; // an exec did not let us attach for too long
};

struct census_held { // a thread from the request to stop until its release
    struct in_place_thread thread; // as it was before
    int64_t look_at;  // CLOCK_MONOTONIC ns, when to see whether it runs on instead of stopping
    uint64_t run_ns;  // when that was seen last; 0: never
    bool runs_on;
};

// What of the thread's stack is to be copied, and the room that takes.
struct stack_request census_request(const struct census *census, pid_t tid);

// Reads the thread where it sleeps into census->scratch.
enum in_place census_read(struct census *census, pid_t tid);

// Appends the threads that are to be taken and not listed yet.
void census_list(struct census *census);

// Whether the main process has left room in the ring for that many records.
bool census_has_room(const struct census *census, size_t records);

// A moment in which the main process can take records out. Whoever else stopped meanwhile is let
// go: it may be long until the main process goes on, and for ever if somebody stopped that one.
void census_nap(struct census *census);

// The census reads that thread now: whoever watches it sees that it gets on.
void census_gets_on(struct census *census, pid_t tid);

// No running thread is waited for any more.
bool census_is_over(const struct census *census);

// Completes the record with what was known before, and tells it.
void census_tell(struct census *census, struct census_record *record);

// A thread that could not be held: what is known without.
void census_tell_unheld(struct census *census, const struct in_place_thread *thread,
                        uint32_t flags);

// Asks to stop; then it is pending in census->stops. False: it is gone, or somebody else's.
bool census_ask(struct census *census, struct census_held *held);

// Copies a held thread into the record.
void census_copy(struct census *census, const struct census_held *held, const struct hold *hold,
                 struct census_record *record, const struct stack_request *request);

// Holds the threads that run, one by one. They are those of `tids`.
void census_one_by_one(struct census *census, const pid_t *tids, size_t count);

// Holds all threads of census->tids, and those that begin meanwhile, at one moment.
void census_together(struct census *census);
