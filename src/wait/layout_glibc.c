// SPDX-License-Identifier: MIT
#include "wait/layout.h"

#include <linux/futex.h>
#include <stddef.h>

#include "process/machine.h"

// glibc: sysdeps/nptl/bits/struct_mutex.h with 64-bit words.
struct glibc_mutex {
    uint32_t word, count, owner, users, kind;
};

enum glibc_kind { // bits of `kind`; the lowest two are the type
    GLIBC_ROBUST = 16,
    GLIBC_INHERIT = 32,
    GLIBC_PROTECT = 64,
    GLIBC_KINDS = 0x3ff,
};

static const char *const mutex_kinds[4][4] = { // [priority-inheriting, robust][type]
    {"mutex", "recursive mutex", "error-checking mutex", "adaptive mutex"},
    {"robust mutex", "robust recursive mutex", "robust error-checking mutex",
     "robust adaptive mutex"},
    {"priority-inheriting mutex", "priority-inheriting recursive mutex",
     "priority-inheriting error-checking mutex", "priority-inheriting adaptive mutex"},
    {"priority-inheriting robust mutex", "priority-inheriting robust recursive mutex",
     "priority-inheriting robust error-checking mutex",
     "priority-inheriting robust adaptive mutex"},
};

const char *layout_mutex_kind(bool inherits, bool robust, unsigned type)
{
    return mutex_kinds[2 * inherits + robust][type & 3];
}

bool layout_is_pi(const struct futex_call *call)
{
    return call->operation == FUTEX_LOCK_PI || call->operation == FUTEX_LOCK_PI2;
}

bool layout_glibc_mutex(const struct finder *finder, const struct futex_call *call,
                        struct lock *lock)
{
    struct glibc_mutex mutex;
    if (!finder_read(finder, call->address, &mutex, sizeof mutex) || mutex.kind & ~GLIBC_KINDS ||
        mutex.users > USERS_MAX || layout_is_pi(call) != !!(mutex.kind & GLIBC_INHERIT))
        return false;
    bool in_word = mutex.kind & (GLIBC_ROBUST | GLIBC_INHERIT);
    uint32_t owner = in_word ? mutex.word & FUTEX_TID_MASK : mutex.owner;
    bool plain = !in_word && !(mutex.kind & GLIBC_PROTECT);
    if (owner >= TID_LIMIT || (plain && (call->value != 2 || mutex.word > 2)))
        return false;
    lock->kind = WAIT_LOCK;
    lock->object = call->address;
    lock->object_kind = layout_mutex_kind(mutex.kind & GLIBC_INHERIT,
                                          mutex.kind & GLIBC_ROBUST, mutex.kind);
    lock->owner = mutex.word ? owner : 0; // 0: it has been released meanwhile
    lock->owner_at =
        call->address + (in_word ? 0 : offsetof(struct glibc_mutex, owner));
    lock->owner_died = in_word && mutex.word & FUTEX_OWNER_DIED;
    return true;
}

// glibc since 2.25: sysdeps/nptl/bits/struct_rwlock.h.
struct glibc_rwlock {
    uint32_t readers, writers, write_phase, writers_futex, pad[2], writer, shared;
    uint64_t more[2];
    uint32_t flags;
};

#define GLIBC_READER_SHIFT 3

// A rwlock is aligned to 8 bytes. Threads wait on `write_phase` with the value 2 or 3, on
// `writers_futex`, or on `readers` with a count of readers.
static uint64_t glibc_rwlock_base(const struct futex_call *call)
{
    if (call->address % 8)
        return call->address - offsetof(struct glibc_rwlock, writers_futex);
    bool at_readers = call->value >= 1 << GLIBC_READER_SHIFT;
    return call->address - (at_readers ? 0 : offsetof(struct glibc_rwlock, write_phase));
}

bool layout_glibc_rwlock(const struct finder *finder, const struct futex_call *call,
                         struct lock *lock)
{
    struct glibc_rwlock rwlock;
    uint64_t base = glibc_rwlock_base(call);
    if (base % 8 || !finder_read(finder, base, &rwlock, sizeof rwlock) ||
        rwlock.writer >= TID_LIMIT || rwlock.shared > 1 || rwlock.flags > 2 ||
        rwlock.readers >> GLIBC_READER_SHIFT > USERS_MAX)
        return false;
    lock->object = base;
    lock->owner = rwlock.writer;
    lock->owner_at = base + offsetof(struct glibc_rwlock, writer);
    lock->readers = rwlock.writer ? 0 : rwlock.readers >> GLIBC_READER_SHIFT;
    lock->scanned = lock->readers ? base : 0;
    return true;
}

// glibc since 2.25, up to the two words on which threads wait (`signals`). glibc 2.41 removed
// `references`, so the rest is 8 bytes earlier. The words just before `signals` are the same.
struct glibc_condition {
    uint64_t sequence, start;
    uint32_t references[2], sizes[2], original_size, waiters, signals[2];
};

#define CONDITION_WAITERS_SHIFT 3
#define CONDITION_REFERENCES_SHIFT 1

bool layout_glibc_condition(const struct finder *finder, const struct futex_call *call,
                            struct lock *lock)
{
    uint64_t signals = call->address / 8 * 8;
    uint32_t words[6]; // the words from `references` to `waiters`
    if (!finder_read(finder, signals - sizeof words, words, sizeof words))
        return false;
    uint32_t waiters = words[5] >> CONDITION_WAITERS_SHIFT;
    uint32_t references = words[call->address % 8 / 4] >> CONDITION_REFERENCES_SHIFT;
    if (!waiters || waiters > USERS_MAX)
        return false;
    // Both layouts count the waiters. Where the old one has `references`, the new one has `start`.
    bool old = references && references <= waiters;
    lock->object = signals - offsetof(struct glibc_condition, signals) + (old ? 0 : 8);
    return true;
}

struct glibc_semaphore {
    uint32_t value, waiters, shared;
};

#define GLIBC_SHARED 128u

bool layout_glibc_semaphore(const struct finder *finder, const struct futex_call *call,
                            struct lock *lock)
{
    struct glibc_semaphore semaphore;
    if (call->operation != FUTEX_WAIT_BITSET || call->value || call->address % 8 ||
        !finder_read(finder, call->address, &semaphore, sizeof semaphore) || semaphore.value ||
        !semaphore.waiters || semaphore.waiters > USERS_MAX ||
        semaphore.shared != (call->shared ? GLIBC_SHARED : 0))
        return false;
    lock->kind = WAIT_SEMAPHORE;
    lock->object_kind = "semaphore";
    return true;
}

struct glibc_barrier {
    uint32_t in, round, count;
};

bool layout_glibc_barrier(const struct finder *finder, const struct futex_call *call,
                          struct lock *lock)
{
    struct glibc_barrier barrier;
    uint64_t base = call->address - offsetof(struct glibc_barrier, round);
    if (!finder_read(finder, base, &barrier, sizeof barrier) || !barrier.count)
        return false;
    uint32_t arrived = barrier.in - barrier.round;
    lock->object = base;
    lock->missing = arrived < barrier.count ? barrier.count - arrived : 0;
    return true;
}

// A join waits on the tid that the kernel clears when the thread ends. The kernel then wakes a
// shared futex, so the wait is never a private one.
bool layout_glibc_join(const struct finder *finder, const struct futex_call *call,
                       struct lock *lock)
{
    uint32_t word;
    if (!call->shared || !finder_read(finder, call->address, &word, sizeof word) ||
        word != call->value || finder_thread(finder, word) == WAIT_NOBODY)
        return false;
    lock->kind = WAIT_JOIN;
    lock->object_kind = "thread";
    lock->owner = word;
    return true;
}

struct glibc_stream_lock {
    uint32_t word, count;
    uint64_t owner; // address of its struct pthread
};

bool layout_glibc_stream(const struct finder *finder, const struct futex_call *call,
                         struct lock *lock)
{
    struct glibc_stream_lock stream;
    uint32_t tid;
    if (!finder_read(finder, call->address, &stream, sizeof stream) || !stream.word ||
        !stream.count || stream.count > USERS_MAX ||
        !finder_read(finder, stream.owner + MACHINE_GLIBC_TID, &tid, sizeof tid) ||
        finder_thread(finder, tid) == WAIT_NOBODY)
        return false;
    lock->object_kind = "lock of a stream";
    lock->owner = tid;
    return true;
}
