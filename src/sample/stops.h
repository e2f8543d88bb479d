// SPDX-License-Identifier: MIT
// Threads are asked to stop and waited for, by samplers (look.c) and censuses (src/dump/census.c)
// alike; what is done to one that has stopped, hold.h does. The kernel takes requests only of the
// thread that attached: each thread of ours has a list of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/control.h"
#include "sample/hold.h"
#include "sample/tracer.h"

#define STOPS_MOST 64 // that one who lets each go before he waits for the next has pending
#define STOPS_PARTING_NS (500 * NS_PER_MS) // for those that have not stopped when all is to end

struct stop { // a thread that was asked to stop
    pid_t tid;
    pid_t pid; // of its process, by which it goes after an exec; 0: then it is not ours any more
    void *owner;
    int64_t asked_at; // CLOCK_MONOTONIC ns
};

struct stops {
    struct control *control;
    struct sign_of_life *life; // told to the watchdog
    bool filtered;             // as for hold_examine
    bool keeps; // whoever stopped stays held while others are waited for
    struct stop *pending; // asked, and not stopped yet: each waits for a CPU or is in an
    size_t count, most;   // uninterruptible sleep
    size_t next;          // when some are kept: the one to be looked at next
    int64_t guard_at;     // when what is waited for is given up; 0: never
    int64_t waits_since;  // CLOCK_MONOTONIC ns: nobody had stopped then
};

// life: of the calling thread, which has called tracer_begin_thread. As many as `most` are pending
// at any time.
void stops_init(struct stops *stops, struct control *control, struct sign_of_life *life,
                size_t most);

// Of those that are pending the kernel lets go, when the calling thread ends.
void stops_fini(struct stops *stops);

// Attaches to a thread and asks it to stop; asked_at is filled in. RC_OK: it is pending. RC_GONE,
// RC_DENIED as tracer_attach; RC_LIMIT: an exec kept us from it, `until` (CLOCK_MONOTONIC ns) at
// most, or too many are pending.
enum rc stops_ask(struct stops *stops, struct stop *stop, int64_t until) MUST_CHECK;

// Sleeps until a pending thread has stopped or ended, or until then (TRACER_RUNNING); does not
// sleep if none is pending. hold->asked is that thread. A thread that stopped has been examined,
// and was held no longer than since hold->since. Others that stop are let go.
enum tracer_wait stops_await(struct stops *stops, int64_t until, struct hold *hold);

// The thread was let go, has ended or is waited for no more, and leaves the list.
void stops_remove(struct stops *stops, struct stop *stop);

// Until then, lets go whoever stops of all that were ever asked, asleep as long as there are any.
// What has stopped before is let go in any case.
void stops_part(struct stops *stops, int64_t until);

// The watchdog may be more patient while something is read for which we may have to wait, if
// nobody is held meanwhile.
void stops_begin_read(struct stops *stops, pid_t tid);
void stops_end_read(struct stops *stops);

// If nobody is pending or kept, the watchdog has nothing to watch.
void stops_rest(struct stops *stops);
