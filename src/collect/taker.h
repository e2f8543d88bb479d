// SPDX-License-Identifier: MIT
// The taker is the thread that takes in what was sampled. It unwinds, waits for files that do not
// answer and has names fetched. It has the lowest priority unless it is pressed, then one above the
// target's, as long as it takes little time. The thread of clock and signals never waits for it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "collect/consumer.h"
#include "sample/watchdog.h"
#include "symbol/fetcher.h"

enum taker_turn { TAKER_LAST, TAKER_SOON, TAKER_AT_ONCE };

struct taker {
    // These are set before the start, and borrowed.
    struct control *control;
    struct consumer *consumer;
    struct watchdog *watchdog;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher;
    pthread_mutex_t *lock; // held while it takes in, some milliseconds at a time
    // Keeps the profile within bounds and says whether locations have new numbers.
    bool (*bound)(void *context);
    void *context;
    bool names; // it has names fetched; else somebody else does
    pthread_mutex_t borrowing; // held by whom the names are lent

    // These are its own.
    pthread_t thread;
    bool started;
    atomic_int tid; // of the thread, 0: it has not begun
    atomic_bool leaving;
    enum taker_turn turn;
    bool is_light;     // it took little of the time, as noted last
    int64_t noted_at, cpu_then; // ns: CLOCK_MONOTONIC, and its own CPU time
    atomic_bool recovers; // it recovers the ring as soon as it has taken in what it can
    atomic_bool lent;    // somebody else uses the symbolizer
    size_t names_wanted; // locations of which names were wanted
    int64_t names_at;    // CLOCK_MONOTONIC ns, when they were looked at last
    uint32_t backoff;    // 0: none
};

enum rc taker_start(struct taker *taker, struct err *err) MUST_CHECK;

// Ends the thread when it has done what it is at. What is in the ring then stays there.
void taker_stop(struct taker *taker);

// Has the thread, and the process that unwinds for it, run like the calling thread.
void taker_lead(const struct taker *taker);

// Returns how many times longer than alone it takes, because others want the CPUs too: 1 or more.
double taker_slowness(const struct taker *taker);

// Has the ring made ready for another sampler. The last one is gone, perhaps with a record open.
void taker_recover(struct taker *taker);
bool taker_has_recovered(const struct taker *taker);

// Makes the rate one part in `slowdown`, or less if we cannot keep up. The caller holds the lock.
void taker_back_off(struct taker *taker, uint32_t slowdown);

// Lends symbolizer and fetcher to the caller until it returns them, which the same thread does. It
// waits for the one to whom they are lent now, and must not hold the lock.
void taker_borrow_names(struct taker *taker);
void taker_return_names(struct taker *taker);
