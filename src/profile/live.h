// SPDX-License-Identifier: MIT
// Plain profiles of a store that grows. Code, labels and names are kept from one to the next, and
// only what is new is looked at. Locations, nodes and values keep the numbers of the store, so that
// its slices are those of the samples too. When the store renumbers them, a new `live` is needed.
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

// Gives a profile the types that such profiles have: cpu, wall, block and mutex. A sample of what
// was waited for has the label "side", and that it was a wait for work the label "idle".
void live_add_types(struct plain_profile *profile);

// Adds what a value of a store has to a sample of a profile with these types. lock: what was waited
// for is one.
void live_add(struct plain_profile *profile, uint32_t sample, enum profile_state state, bool lock,
              uint64_t samples, uint64_t ns);

// Takes over what the store holds. It is called with the lock, before live_names and live_take.
void live_follow(struct live *live, const struct profile *store);

// Fetches the names of all locations; false when that takes longer than it may, and names come with
// a later call. It is called without the lock. Locations without a name get that of their module.
bool live_names(struct live *live, int milliseconds);

// Returns what live_follow took over, with the names that have come. A stack of which the bound of
// the store left nothing is at the root. The caller frees it, and *threads, whose numbers are those
// of the store.
struct plain_profile *live_take(struct live *live, struct plain_threads *threads);

// Returns the functions of all that live_take returns; the reference is the caller's.
struct names *live_functions(struct live *live);

// Says whether the functions are those of this one.
bool live_is_of(const struct live *live, const struct names *functions);

// Gives a profile that live_take returned earlier the names that have come since.
void live_name_again(const struct live *live, struct plain_profile *profile);

// Returns how many locations of the store have their names.
size_t live_named(const struct live *live);

// Says whether threads were renamed so often that what is kept of their names should be dropped.
bool live_is_worn(const struct live *live);
