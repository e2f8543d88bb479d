// SPDX-License-Identifier: MIT
#include "wait/layout.h"

#include <linux/futex.h>
#include <stddef.h>

#include "process/machine.h"

#define MUSL_BUSY 16u // EBUSY: stands for the owner in a locked musl mutex of the normal type

struct musl_mutex {
    uint32_t type, word, waiters;
};

enum musl_type { // the lowest two bits: normal, recursive, error-checking
    MUSL_ROBUST = 4,
    MUSL_INHERIT = 8,
    MUSL_TYPES = 0x8f,
};

bool layout_musl_mutex(const struct finder *finder, const struct futex_call *call,
                       struct lock *lock)
{
    struct musl_mutex mutex;
    uint64_t base = call->address - offsetof(struct musl_mutex, word);
    if (base % 8 || !finder_read(finder, base, &mutex, sizeof mutex) ||
        mutex.type & ~MUSL_TYPES || (mutex.type & 3) == 3 ||
        layout_is_pi(call) != !!(mutex.type & MUSL_INHERIT))
        return false;
    uint32_t owner = mutex.word & FUTEX_TID_MASK;
    bool normal = !(mutex.type & 0xf);
    bool counted = mutex.waiters || layout_is_pi(call); // the kernel has the waiters of a PI mutex
    if (owner >= TID_LIMIT || mutex.waiters > USERS_MAX || !counted ||
        (normal && call->value != (MUSL_BUSY | FUTEX_WAITERS)))
        return false;
    lock->kind = WAIT_LOCK;
    lock->object = base;
    lock->object_kind = layout_mutex_kind(mutex.type & MUSL_INHERIT,
                                          mutex.type & MUSL_ROBUST, mutex.type);
    lock->owner = normal ? 0 : owner;
    lock->owner_at = normal ? 0 : call->address;
    lock->scanned = normal && owner ? base : 0;
    lock->owner_died = mutex.word & FUTEX_OWNER_DIED && mutex.type & MUSL_ROBUST;
    return true;
}

// The third word is 128 in a semaphore that is private to a process and in a rwlock that is shared,
// else 0. That tells the two apart when the first word is -1 in both: a semaphore with waiters and
// a rwlock that is held to write.
struct musl_words {
    uint32_t word, waiters, sharing;
};

#define MUSL_SHARING 128u

static bool read_words(const struct finder *finder, const struct futex_call *call,
                       struct musl_words *words)
{
    return finder_read(finder, call->address, words, sizeof *words) && words->waiters &&
           words->waiters < USERS_MAX && call->value & FUTEX_WAITERS;
}

bool layout_musl_semaphore(const struct finder *finder, const struct futex_call *call,
                           struct lock *lock)
{
    struct musl_words words;
    if (!read_words(finder, call, &words) || words.sharing != (call->shared ? 0 : MUSL_SHARING))
        return false;
    lock->kind = WAIT_SEMAPHORE;
    lock->object_kind = "semaphore";
    return true;
}

bool layout_musl_rwlock(const struct finder *finder, const struct futex_call *call,
                        struct lock *lock)
{
    struct musl_words words;
    if (!read_words(finder, call, &words) || words.sharing != (call->shared ? MUSL_SHARING : 0))
        return false;
    uint32_t readers = words.word & INT32_MAX;
    bool written = readers == INT32_MAX;
    if (!written && readers > USERS_MAX)
        return false;
    if (lock->kind != WAIT_LOCK) // the name did not tell: readers wait for writers only
        lock->object_kind = written ? "rwlock" : "rwlock (to write)";
    lock->kind = WAIT_LOCK;
    lock->readers = written ? 0 : readers;
    lock->scanned = readers ? call->address : 0;
    return true;
}

// To wait for a condition, musl uses a futex word of the waiter's own, in a struct on its stack.
struct musl_waiter {
    uint64_t previous, next;
    uint32_t state, barrier;
};

bool layout_musl_condition(const struct finder *finder, const struct futex_call *call,
                           struct lock *lock)
{
    struct musl_waiter waiter;
    uint64_t base = call->address - offsetof(struct musl_waiter, barrier);
    bool on_stack = call->address > call->sp && call->address - call->sp < FRAME_MAX;
    if (!on_stack || call->value != 2 || base % 8 ||
        !finder_read(finder, base, &waiter, sizeof waiter) || waiter.state ||
        waiter.barrier != 2)
        return false;
    lock->kind = WAIT_CONDITION;
    lock->object_kind = "condition variable";
    lock->object = 0;
    return true;
}

#define MUSL_TID_TO_STATE 8

// A join waits on the state in the thread's struct, which has its tid too and begins with its
// address.
bool layout_musl_join(const struct finder *finder, const struct futex_call *call,
                      struct lock *lock)
{
    uint64_t base = call->address - MACHINE_MUSL_STATE, self;
    uint32_t tid;
    if (!finder_read(finder, base, &self, sizeof self) || self != base ||
        !finder_read(finder, call->address - MUSL_TID_TO_STATE, &tid, sizeof tid) ||
        finder_thread(finder, tid) == WAIT_NOBODY)
        return false;
    lock->kind = WAIT_JOIN;
    lock->object_kind = "thread";
    lock->owner = tid;
    return true;
}

#define MUSL_STREAM_WAITERS 0x40000000u

bool layout_musl_stream(const struct finder *finder, const struct futex_call *call,
                        struct lock *lock)
{
    uint32_t word;
    if (!finder_read(finder, call->address, &word, sizeof word) || word != call->value ||
        !(word & MUSL_STREAM_WAITERS) ||
        finder_thread(finder, word & ~MUSL_STREAM_WAITERS) == WAIT_NOBODY)
        return false;
    lock->kind = WAIT_LOCK;
    lock->object_kind = "lock of a stream";
    lock->owner = word & ~MUSL_STREAM_WAITERS;
    lock->owner_at = call->address;
    return true;
}
