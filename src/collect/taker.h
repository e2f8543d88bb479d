// SPDX-License-Identifier: MIT
// The thread that reads records. It unwinds, waits for files that do not answer and has names
// fetched. It never preempts another thread and has a higher nice value, unless the consumer is
// pressed. Time and signals belong to another thread, which never waits for this one.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "collect/consumer.h"
#include "symbol/fetcher.h"

struct taker {
    // These are set before the start, and borrowed.
    struct control *control;
    struct consumer *consumer;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher;
    pthread_mutex_t *lock; // held while it reads records, some milliseconds at a time
    // Keeps the profile within bounds and returns whether locations have new numbers. NULL: another
    // thread does that, and has the names fetched too.
    bool (*bound)(void *context);
    void *context;

    // The other members belong to the thread.
    pthread_t thread;
    bool started;
    atomic_bool leaving;
    bool soon; // whether it runs with a short slice (thread_come_soon)
    atomic_bool recovers; // whether the ring is made usable again as soon as its records are read
    atomic_bool lent;    // whether another thread uses the symbolizer
    size_t names_wanted; // number of locations of which names were wanted
    int64_t names_at;    // when names are fetched again, CLOCK_MONOTONIC ns
    uint32_t backoff;    // as taker_back_off set it; 0: nothing
};

enum rc taker_start(struct taker *taker, struct err *err) MUST_CHECK;

// Ends the thread after its current records. Those that are in the ring then stay there.
void taker_stop(struct taker *taker);

// Says that the sampler is gone, perhaps with a record half written: the ring has to be made usable
// for another one.
void taker_recover(struct taker *taker);
bool taker_has_recovered(const struct taker *taker);

// Reduces the rate to one part in so many, and further if the consumer cannot keep up. The caller
// holds the lock.
void taker_back_off(struct taker *taker, uint32_t slowdown);

// Between these two calls symbolizer and fetcher belong to the caller.
void taker_borrow_names(struct taker *taker);
void taker_return_names(struct taker *taker);
