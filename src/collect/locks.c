// SPDX-License-Identifier: MIT
#include "collect/locks.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/machine.h"

#define LOCKS_MAX 16384 // that are told apart; the holders of more are not found
#define WATCHED_NS (2ll * NS_PER_S) // for which a lock is watched after the last wait for it

void locks_fini(struct locks *locks)
{
    for (size_t i = 0; i < locks->count; i++)
        free(locks->list[i].charges);
    free(locks->list);
    map_fini(&locks->index);
    *locks = (struct locks){0};
}

static struct known_lock *get(const struct locks *locks, uint32_t lock)
{
    return &locks->list[lock - 1];
}

static uint64_t key_of(uint32_t process, uint64_t word)
{
    return map_hash(word) ^ process;
}

uint32_t locks_meet(struct locks *locks, uint32_t process, const struct wait_sort *sort,
                    uint32_t wait)
{
    uint64_t word = sort->owner_at ? sort->owner_at : sort->scanned ? sort->futex : 0;
    uint64_t key = key_of(process, word);
    uint32_t known = word ? map_get(&locks->index, key, UINT32_MAX) : UINT32_MAX;
    if (known != UINT32_MAX || !word || locks->count == LOCKS_MAX)
        return known + 1;
    uint32_t number = map_number(&locks->index, key);
    ARRAY_RESERVE(locks->list, locks->count, locks->capacity);
    locks->list[locks->count++] = (struct known_lock){
        .process = process,
        .word = word,
        .scanned = sort->owner_at ? 0 : sort->scanned,
        .wait = wait,
    };
    return number + 1;
}

static void advance(struct known_lock *lock, int64_t moment)
{
    if (moment <= lock->at)
        return;
    lock->integral += lock->waiters * (uint64_t)(moment - lock->at);
    lock->at = moment;
}

void locks_begin_wait(struct locks *locks, uint32_t lock, int64_t moment)
{
    struct known_lock *known = get(locks, lock);
    advance(known, moment);
    known->wanted_at = moment;
    known->waiters++;
}

void locks_end_wait(struct locks *locks, uint32_t lock, int64_t moment)
{
    struct known_lock *known = get(locks, lock);
    advance(known, moment);
    known->waiters--;
}

void locks_delay(struct locks *locks, uint32_t lock, uint64_t ns, uint64_t contentions)
{
    get(locks, lock)->delay_ns += ns;
    get(locks, lock)->contentions += contentions;
}

// --- who holds it ---

static bool has_on_stack(const struct capture *capture, uint64_t address)
{
    uint64_t value;
    for (size_t at = -capture_sp(capture) % 8; at + 8 <= capture->stack_length; at += 8) {
        memcpy(&value, capture->stack + at, sizeof value);
        if (value == address)
            return true;
    }
    return false;
}

static bool holds(const struct known_lock *lock, const struct capture *capture, uint32_t word,
                  pid_t inner_tid)
{
    return lock->scanned ? has_on_stack(capture, lock->scanned)
                         : (pid_t)(word & FUTEX_TID_MASK) == inner_tid;
}

uint32_t locks_held(const struct locks *locks, uint32_t process, const struct capture *capture,
                    pid_t inner_tid, uint32_t not)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < capture->lock_count && i < LOCK_WORDS; i++) {
        uint64_t key = key_of(process, capture->locks[i].owner_at);
        uint32_t lock = map_get(&locks->index, key, UINT32_MAX) + 1;
        if (!lock || lock == not ||
            (best && get(locks, lock)->waiters <= get(locks, best)->waiters))
            continue;
        if (holds(get(locks, lock), capture, capture->locks[i].word, inner_tid))
            best = lock;
    }
    return best;
}

pid_t locks_owner(const struct locks *locks, uint32_t lock, const struct capture *capture)
{
    const struct known_lock *known = get(locks, lock);
    for (uint32_t i = 0; !known->scanned && i < capture->lock_count && i < LOCK_WORDS; i++)
        if (capture->locks[i].owner_at == known->word)
            return (pid_t)(capture->locks[i].word & FUTEX_TID_MASK);
    return 0;
}

static void charge(struct known_lock *lock, uint32_t value, uint64_t ns)
{
    struct charge *last = lock->charge_count ? &lock->charges[lock->charge_count - 1] : NULL;
    if (!ns)
        return;
    if (last && last->value == value) {
        last->ns += ns;
        return;
    }
    ARRAY_RESERVE(lock->charges, lock->charge_count, lock->charge_capacity);
    lock->charges[lock->charge_count++] = (struct charge){value, ns};
}

void locks_charge(struct locks *locks, uint32_t lock, uint32_t value, uint64_t ns)
{
    charge(get(locks, lock), value, ns * get(locks, lock)->waiters);
}

void locks_charge_late(struct locks *locks, uint32_t lock, uint32_t value, uint64_t ns)
{
    struct known_lock *known = get(locks, lock);
    if (!known->had_holders && !known->charge_count)
        known->late_ns = ns * known->waiters;
    charge(known, value, 1);
}

struct holding locks_begin_holding(struct locks *locks, uint32_t lock, uint32_t value,
                                   int64_t moment)
{
    advance(get(locks, lock), moment);
    return (struct holding){lock, value, get(locks, lock)->integral};
}

void locks_end_holding(struct locks *locks, struct holding *holding, int64_t moment)
{
    if (!holding->lock)
        return;
    struct known_lock *lock = get(locks, holding->lock);
    advance(lock, moment);
    charge(lock, holding->value, lock->integral - holding->since);
    *holding = (struct holding){0};
}

void locks_go_on_holding(struct locks *locks, struct holding *holding, int64_t moment)
{
    struct holding held = *holding;
    locks_end_holding(locks, holding, moment);
    if (held.lock)
        *holding = locks_begin_holding(locks, held.lock, held.value, moment);
}

// --- sharing it out ---

// Returns the part that ends at `upto` of a whole that is shared in proportion to `all`, less what
// was given away before. The parts add up to the whole.
static uint64_t part_of(uint64_t whole, uint64_t upto, uint64_t all, uint64_t *given)
{
    uint64_t end = (uint64_t)((unsigned __int128)whole * upto / all);
    uint64_t part = end - *given;
    *given = end;
    return part;
}

static void settle(struct known_lock *lock, struct profile *profile)
{
    uint64_t all = 0, upto = 0, given_ns = 0, given = 0;
    for (size_t i = 0; i < lock->charge_count; i++)
        all += lock->charges[i].ns;
    if (!lock->delay_ns || !all)
        return;
    for (size_t i = 0; i < lock->charge_count; i++) {
        upto += lock->charges[i].ns;
        uint64_t ns = part_of(lock->delay_ns, upto, all, &given_ns);
        profile_add(profile, lock->charges[i].value,
                    part_of(lock->contentions, upto, all, &given), ns);
    }
    lock->delay_ns = lock->contentions = 0;
    lock->charge_count = 0;
    lock->had_holders = true;
}

// Returns what was waited before the one holder that is known was seen to have it, and takes it
// away from what is to be shared out.
static struct known_lock before_it_was_seen(struct known_lock *lock)
{
    struct known_lock before = {0};
    if (lock->late_ns && 2 * lock->late_ns < lock->delay_ns) {
        before.delay_ns = lock->delay_ns - lock->late_ns;
        double seen = (double)lock->late_ns / (double)lock->delay_ns;
        before.contentions = (uint64_t)((double)lock->contentions * (1 - seen));
    }
    lock->delay_ns -= before.delay_ns;
    lock->contentions -= before.contentions;
    lock->late_ns = 0;
    return before;
}

void locks_settle(struct locks *locks, struct profile *profile)
{
    for (size_t i = 0; i < locks->count; i++)
        settle(&locks->list[i], profile);
}

void locks_settle_last(struct locks *locks, struct profile *profile, locks_unseen *unseen,
                       void *context)
{
    for (size_t i = 0; i < locks->count; i++) {
        struct known_lock *lock = &locks->list[i];
        struct known_lock before = before_it_was_seen(lock);
        settle(lock, profile);
        lock->delay_ns += before.delay_ns;
        lock->contentions += before.contentions;
        if (lock->delay_ns)
            profile_add(profile, unseen(context, lock->wait), lock->contentions, lock->delay_ns);
        lock->delay_ns = lock->contentions = 0;
    }
}

void locks_renumber(struct locks *locks, const uint32_t *values)
{
    for (size_t i = 0; i < locks->count; i++)
        for (size_t k = 0; k < locks->list[i].charge_count; k++)
            locks->list[i].charges[k].value = values[locks->list[i].charges[k].value];
}

// --- the samplers ---

// Of more locks than can be watched those with most waiters are.
void locks_choose(struct locks *locks, int64_t moment)
{
    uint32_t *chosen = locks->watched, count = 0;
    for (uint32_t i = 1; i <= locks->count; i++) {
        const struct known_lock *lock = get(locks, i);
        if (!lock->waiters && (!lock->wanted_at || lock->wanted_at + WATCHED_NS < moment))
            continue;
        if (count == LOCK_WORDS && get(locks, chosen[count - 1])->waiters >= lock->waiters)
            continue;
        uint32_t place = count < LOCK_WORDS ? count++ : count - 1;
        for (; place && get(locks, chosen[place - 1])->waiters < lock->waiters; place--)
            chosen[place] = chosen[place - 1];
        chosen[place] = i;
    }
    locks->watched_count = count;
}

void locks_watch(const struct locks *locks, struct lock_watch *watch)
{
    for (uint32_t i = 0; i < locks->watched_count; i++) {
        const struct known_lock *lock = get(locks, locks->watched[i]);
        atomic_store(&watch->slots[i].process, lock->process);
        atomic_store(&watch->slots[i].owner_at, lock->word);
    }
    atomic_store_explicit(&watch->count, locks->watched_count, memory_order_release);
}
