// SPDX-License-Identifier: MIT
// The locks that threads of a run wait for, and who holds them. What waiters have waited is known
// from their looks (delays.h); it is charged to where the holders were meanwhile:
//
//   A holder that ran is known by the samples of it whose captures say that it owned the lock at
//   that moment (sample/lock_watch.h). Each stands for as much time as lies between two samples.
//   A holder that slept is read in place, and holds what it held then until it is seen elsewhere.
//   Either counts as often as there were waiters. Once a second the time that was waited for a lock
//   is shared out in this proportion, so that both sides of a mutex profile have the same sum.
//
// A lock without an owner's word is held by a thread that has its address on the stack: that is
// inferred. Time whose holder was never seen goes to the stack [holder not seen].
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "profile/store.h"
#include "sample/capture.h"
#include "sample/lock_watch.h"
#include "wait/sort.h"

struct known_lock {
    uint32_t process; // number
    uint64_t word;    // address of the owner's word; of a lock without one, of one that is 0 when
                      // nobody has it
    uint64_t scanned; // then: address that its holder has on the stack
    uint32_t wait;    // number of a struct profile_wait that names it
    uint32_t waiters; // threads that were last seen to wait for it
    uint64_t integral; // of their number over time, thread-ns, up to `at`
    int64_t at;        // CLOCK_MONOTONIC ns
    int64_t wanted_at; // somebody waited for it
    uint64_t delay_ns, contentions; // waited for, and not shared out yet
    uint64_t late_ns;  // thread-ns for which who was found only at the end is known to have had it
    bool had_holders;  // some were shared out already
    struct charge {
        uint32_t value; // number in the profile
        uint64_t ns;    // thread-ns that others waited meanwhile
    } *charges;
    size_t charge_count, charge_capacity;
};

struct locks { // zeroed: none
    struct known_lock *list;
    size_t count, capacity;
    struct map index; // hash of process and word -> number
    uint32_t watched[LOCK_WORDS]; // numbers + 1 of those that are waited for
    uint32_t watched_count;
};

struct holding { // zeroed: none. Of a thread that sleeps
    uint32_t lock; // number + 1
    uint32_t value; // number in the profile of where it sleeps
    uint64_t since; // the lock's integral when it was seen to sleep
};

void locks_fini(struct locks *locks);

// Returns the number + 1 of the lock that is waited for, 0 if nothing can be said of its holder.
// wait: as in struct known_lock.
uint32_t locks_meet(struct locks *locks, uint32_t process, const struct wait_sort *sort,
                    uint32_t wait);

// Say at a moment (CLOCK_MONOTONIC ns) that a thread waits for a lock, or not any more.
void locks_begin_wait(struct locks *locks, uint32_t lock, int64_t moment);
void locks_end_wait(struct locks *locks, uint32_t lock, int64_t moment);

// Counts time, ns, and waits, that threads waited for a lock.
void locks_delay(struct locks *locks, uint32_t lock, uint64_t ns, uint64_t contentions);

// Returns the number + 1 of the lock that the captured thread holds, for which most threads wait
// now or did lately; 0: none. inner_tid: as in lock words. not: that lock does not count.
uint32_t locks_held(const struct locks *locks, uint32_t process, const struct capture *capture,
                    pid_t inner_tid, uint32_t not);

// Returns who owned the lock when the capture was taken, as lock words say; 0: they do not.
pid_t locks_owner(const struct locks *locks, uint32_t lock, const struct capture *capture);

// Charges the value of where a holder ran with the waiters of the lock during so many ns.
void locks_charge(struct locks *locks, uint32_t lock, uint32_t value, uint64_t ns);

// Charges a holder that was found only at the end of a run, when it had slept for so many ns. If
// nothing else is known of holders, what was waited before has none that was seen; but who had
// slept for most of that time had it for all.
void locks_charge_late(struct locks *locks, uint32_t lock, uint32_t value, uint64_t ns);

// Does the same as locks_charge for a holder that slept until that moment, and forgets that it
// holds the lock.
void locks_end_holding(struct locks *locks, struct holding *holding, int64_t moment);

// Does the same for a holder that sleeps on.
void locks_go_on_holding(struct locks *locks, struct holding *holding, int64_t moment);
struct holding locks_begin_holding(struct locks *locks, uint32_t lock, uint32_t value,
                                   int64_t moment);

// Returns the value that takes what was waited for a lock whose holder was not seen.
typedef uint32_t locks_unseen(void *context, uint32_t wait);

// Shares out what was waited. At the end of a run `unseen` takes what is left.
void locks_settle(struct locks *locks, struct profile *profile);
void locks_settle_last(struct locks *locks, struct profile *profile, locks_unseen *unseen,
                       void *context);

// Replaces the numbers of values that compacting the profile has changed.
void locks_renumber(struct locks *locks, const uint32_t *values);

// Fills in `watched`: which locks are waited for at that moment. Then they can be told to the
// samplers.
void locks_choose(struct locks *locks, int64_t moment);
void locks_watch(const struct locks *locks, struct lock_watch *watch);
