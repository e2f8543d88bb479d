// SPDX-License-Identifier: MIT
// Asks threads to stop and waits for them, for samplers (look.c) and censuses (src/dump/census.c)
// alike; hold.h does what is done to a thread that has stopped. The kernel takes requests only of
// the thread that attached: each thread of ours has a list of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/control.h"
#include "sample/hold.h"
#include "sample/tracer.h"

#define STOPS_MOST 64 // pending at a time, of a thread of ours that keeps none
#define STOPS_DRAIN_NS (500 * NS_PER_MS) // for those that have not stopped when all is to end

struct stop { // a thread that was asked to stop
    pid_t tid;
    pid_t pid; // of its process, by which it goes after an exec; 0: then it is not ours any more
    void *owner;
    int64_t asked_at; // CLOCK_MONOTONIC ns
};

struct stops {
    struct control *control;
    struct sign_of_life *life; // told to the watchdog
    bool filtered;
    bool keeps; // threads that have stopped stay held while others are waited for
    struct stop *pending; // asked, and not stopped yet: each waits for a CPU or is in an
    size_t count, most;   // uninterruptible sleep
    size_t next;          // when some are kept: the one to be looked at next
    int64_t guard_at;     // as set by tracer_guard
    int64_t waits_since;  // CLOCK_MONOTONIC ns: nobody had stopped then
};

// life: of the calling thread, which has called tracer_begin_thread. filtered: as for hold_examine.
// most: threads that are pending at a time. No thread is kept unless `keeps` is set then.
void stops_init(struct stops *stops, struct control *control, struct sign_of_life *life,
                bool filtered, size_t most);

// Threads that are still pending are let go by the kernel when the calling thread ends.
void stops_fini(struct stops *stops);

// Attaches to a thread and asks it to stop; asked_at is filled in. RC_OK: it is pending. RC_GONE,
// RC_DENIED as tracer_attach; RC_LIMIT: an exec kept us from it, `until` (CLOCK_MONOTONIC ns) at
// most, or too many are pending.
enum rc stops_ask(struct stops *stops, struct stop *stop, int64_t until) MUST_CHECK;

// Sleeps until a pending thread (hold->asked) has stopped or ended, or until then (TRACER_RUNNING);
// returns at once if none is pending. A thread that has stopped is examined. Threads that stop
// though they are not pending any more are let go.
enum tracer_wait stops_await(struct stops *stops, int64_t until, struct hold *hold);

// Removes a thread from the list that was let go, has ended or is not waited for any more.
void stops_remove(struct stops *stops, struct stop *stop);

// Lets go all threads that have stopped, and sleeps until all that were ever asked have, or until
// then.
void stops_drain(struct stops *stops, int64_t until);

// Enclose a read for which we may have to wait. If nobody can be held meanwhile the watchdog is
// more patient.
void stops_begin_read(struct stops *stops, pid_t tid);
void stops_end_read(struct stops *stops);

// Tells the watchdog that nobody is or may be held, if none is pending or kept.
void stops_rest(struct stops *stops);
