// SPDX-License-Identifier: MIT
// The thread that takes in what was sampled. It unwinds, waits for files that do not answer, has
// names fetched, and comes last wherever it runs unless it is pressed. Clock and signals are for
// another one, who never waits for it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "collect/consumer.h"
#include "symbol/fetcher.h"

struct taker {
    // Set before the start; borrowed.
    struct control *control;
    struct consumer *consumer;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher;
    pthread_mutex_t *lock; // held while it takes in, some milliseconds at a time
    // Keeps the profile within bounds and says whether locations have new numbers.
    bool (*bound)(void *context);
    void *context;
    bool names; // it has them fetched; else somebody else does

    // Its own.
    pthread_t thread;
    bool started;
    atomic_bool leaving;
    bool soon; // it comes as soon as there is something to take in
    atomic_bool recovers; // the ring, as soon as it has taken in what it can
    atomic_bool lent;    // the symbolizer, to somebody else
    size_t names_wanted; // locations of which names were wanted
    int64_t names_at;    // CLOCK_MONOTONIC ns
    uint32_t backoff;    // 0: none
};

enum rc taker_start(struct taker *taker, struct err *err) MUST_CHECK;

// It ends with what it is doing. What is in the ring then stays there.
void taker_stop(struct taker *taker);

// The sampler is gone, perhaps with a record open: the ring is to be made ready for another one.
void taker_recover(struct taker *taker);
bool taker_has_recovered(const struct taker *taker);

// The rate is to be one part in so many, and less if we cannot keep up. Call it under the lock.
void taker_back_off(struct taker *taker, uint32_t slowdown);

// Symbolizer and fetcher are the caller's until it gives them back.
void taker_borrow_names(struct taker *taker);
void taker_return_names(struct taker *taker);
