// SPDX-License-Identifier: MIT
// A store that grows, as plain profiles. Code, labels and names are kept from one to the next, and
// only what is new is looked at: locations, nodes and values keep the store's numbers, so that its
// slices tell of the plain profile's samples. When the store gets new numbers, a new one is needed.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "process/module.h"
#include "profile/names.h"
#include "profile/plain.h"
#include "profile/plain_threads.h"
#include "profile/store.h"
#include "symbol/fetcher.h"

struct live;

struct live_source { // all borrowed
    const struct modules *modules;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher;
    pthread_mutex_t *lock; // held while modules are looked at, never while names are fetched
};

struct live *live_new(const struct live_source *source);
void live_free(struct live *live);

// The types that such profiles have: samples and CPU time, and by themselves samples and wall time,
// by the label "state".
void live_add_types(struct plain_profile *profile);

// Adds values of CPU time (STATE_CPU), or of wall time, to a sample of a profile with these types.
void live_add(struct plain_profile *profile, uint32_t sample, enum profile_state state,
              uint64_t samples, uint64_t ns);

// Takes in what the store holds; under the lock, before live_names and live_take.
void live_follow(struct live *live, const struct profile *store);

// Brings the names of all locations, if that takes no longer than it may (false: it does, and they
// come with a later call). Not under the lock. Locations without a name are called by their module.
bool live_names(struct live *live, int milliseconds);

// What live_follow took in, with the names that have come. Of a stack of which the store's bound
// left nothing, the node is the root. The caller frees it, and *threads: the store's, each with its
// number.
struct plain_profile *live_take(struct live *live, struct plain_threads *threads);

// The functions of all that live_take gives: a reference for the caller.
struct names *live_functions(struct live *live);

// Says whether the functions are of what this one gave.
bool live_is_of(const struct live *live, const struct names *functions);

// Gives a profile that live_take gave earlier the names that have come since.
void live_name_again(const struct live *live, struct plain_profile *profile);

// Threads were renamed so often that what is kept of their names should be dropped.
bool live_is_worn(const struct live *live);
