// SPDX-License-Identifier: MIT
#include "wait/lock.h"

#include <linux/futex.h>
#include <string.h>

#include "base/mem.h"
#include "wait/layout.h"
#include "wait/primitive.h"

#define FUTEX2_SHARED_UNLESS 128u // FUTEX2_PRIVATE of futex_wait and futex_waitv

static struct futex_call decode_futex(const struct finder *finder, const uint64_t *args)
{
    (void)finder;
    return (struct futex_call){
        .address = args[0],
        .operation = (uint32_t)args[1] & FUTEX_CMD_MASK,
        .value = (uint32_t)args[2],
        .shared = !(args[1] & FUTEX_PRIVATE_FLAG),
    };
}

static struct futex_call decode_futex_wait(const struct finder *finder, const uint64_t *args)
{
    (void)finder;
    return (struct futex_call){
        .address = args[0],
        .operation = FUTEX_WAIT_BITSET,
        .value = (uint32_t)args[1],
        .shared = !(args[3] & FUTEX2_SHARED_UNLESS),
    };
}

// Of several only the first one is looked at.
static struct futex_call decode_futex_waitv(const struct finder *finder, const uint64_t *args)
{
    struct futex_waitv first;
    if (!args[1] || !finder_read(finder, args[0], &first, sizeof first))
        return (struct futex_call){0};
    return (struct futex_call){
        .address = first.uaddr,
        .operation = FUTEX_WAIT_BITSET,
        .value = (uint32_t)first.val,
        .shared = !(first.flags & FUTEX2_SHARED_UNLESS),
    };
}

static const struct {
    const char *name;
    struct futex_call (*decode)(const struct finder *finder, const uint64_t *args);
} calls[] = {
    {"futex", decode_futex},
    {"futex_wait", decode_futex_wait},
    {"futex_waitv", decode_futex_waitv},
};

typedef bool (*layout_reader)(const struct finder *finder, const struct futex_call *call,
                              struct lock *lock);

// What a primitive is by its name, and the layouts that it may have. When none fits, the kind is
// still true, and the address is that of the futex.
static const struct rule {
    enum wait_kind kind;
    const char *object_kind;
    layout_reader layouts[2];
    bool scanned; // without a layout: a holder has the address of the word on its stack
    bool far;     // the word is not the primitive
} rules[] = {
    [PRIMITIVE_MUTEX] = {WAIT_LOCK, "mutex", {layout_glibc_mutex, layout_musl_mutex}},
    [PRIMITIVE_READ_LOCK] = {WAIT_LOCK,
                             "rwlock (to read)",
                             {layout_glibc_rwlock, layout_musl_rwlock}},
    [PRIMITIVE_WRITE_LOCK] = {WAIT_LOCK,
                              "rwlock (to write)",
                              {layout_glibc_rwlock, layout_musl_rwlock}},
    [PRIMITIVE_CONDITION] = {WAIT_CONDITION, "condition variable", {layout_glibc_condition}},
    [PRIMITIVE_SEMAPHORE] = {WAIT_SEMAPHORE, "semaphore"},
    [PRIMITIVE_BARRIER] = {WAIT_BARRIER, "barrier", {layout_glibc_barrier}},
    [PRIMITIVE_JOIN] = {WAIT_JOIN, "thread", {layout_glibc_join, layout_musl_join}},
    [PRIMITIVE_ONCE] = {WAIT_LOCK, "once", .scanned = true},
    [PRIMITIVE_LIBC_LOCK] = {WAIT_LOCK, "lock", {layout_glibc_stream}, .scanned = true},
    [PRIMITIVE_WORD_LOCK] = {WAIT_LOCK, "lock", .scanned = true},
    [PRIMITIVE_FAR_LOCK] = {WAIT_LOCK, "lock", .far = true},
    [PRIMITIVE_FAR_CONDITION] = {WAIT_CONDITION, "condition variable", .far = true},
    [PRIMITIVE_PARKED] = {WAIT_FUTEX, "parked", .far = true},
    [PRIMITIVE_OTHER] = {WAIT_FUTEX, NULL},
    [PRIMITIVE_UNNAMED] = {WAIT_FUTEX, NULL},
};

static bool is_musl(const struct finder *finder, const struct wait_thread *thread)
{
    const struct wait_process *process = finder->process;
    const char *path = process->file ? process->file(process->context, thread->call.pc) : NULL;
    return path && strstr(path, "musl");
}

static bool looks_like_mutex_wait(const struct futex_call *call)
{
    return call->operation == FUTEX_WAIT ? call->value == 2 || call->value & FUTEX_WAITERS
                                         : call->operation != FUTEX_WAIT_BITSET;
}

static bool holds_a_lock(const struct finder *finder, const struct futex_call *call)
{
    uint32_t word;
    return finder_read(finder, call->address, &word, sizeof word) && word && word != UINT32_MAX;
}

// By the memory alone. Only what leaves no doubt: a lock whose owner is one of the threads, a join.
static void guess(const struct finder *finder, const struct futex_call *call, bool musl,
                  struct lock *lock)
{
    static const layout_reader readers[] = {layout_glibc_mutex, layout_musl_mutex};
    struct lock found = *lock;
    if (musl ? layout_musl_join(finder, call, &found) : layout_glibc_join(finder, call, &found)) {
        found.kind = WAIT_JOIN;
        found.object_kind = "thread";
        *lock = found;
        return;
    }
    for (size_t i = musl; i < ARRAY_LENGTH(readers); i++) {
        found = *lock;
        if (looks_like_mutex_wait(call) && readers[i](finder, call, &found) &&
            ((musl && found.scanned) || finder_thread(finder, found.owner) != WAIT_NOBODY)) {
            *lock = found;
            return;
        }
    }
    lock->scanned = holds_a_lock(finder, call) ? call->address : 0;
}

static void apply_rule(const struct finder *finder, const struct futex_call *call, bool musl,
                       const struct primitive_name *name, struct lock *lock)
{
    const struct rule *rule = &rules[name->primitive];
    lock->kind = rule->kind;
    lock->object_kind = name->object_kind ? name->object_kind : rule->object_kind;
    for (size_t i = 0; i < ARRAY_LENGTH(rule->layouts) && rule->layouts[i]; i++)
        if (rule->layouts[i](finder, call, lock))
            return;
    if (rule->scanned)
        lock->scanned = call->address;
    // The futex is a word of the waiter's own: musl has it on the waiter's stack.
    if (rule->far || (musl && name->primitive == PRIMITIVE_CONDITION))
        lock->object = 0;
}

// The futex word of a priority-inheriting lock is the kernel's: its owner needs no layout.
static void by_kernel(const struct finder *finder, const struct futex_call *call,
                      struct lock *lock)
{
    uint32_t word;
    lock->kind = WAIT_LOCK;
    lock->object_kind = "priority-inheriting lock";
    if (layout_glibc_mutex(finder, call, lock) || layout_musl_mutex(finder, call, lock))
        return;
    if (finder_read(finder, call->address, &word, sizeof word))
        lock->owner = word & FUTEX_TID_MASK;
}

static void identify(const struct finder *finder, const struct wait_thread *thread,
                     const struct futex_call *call, struct lock *lock)
{
    const struct primitive_name *name = primitive_find(thread->frames, thread->frame_count);
    bool musl = is_musl(finder, thread);
    bool retaken = name->primitive == PRIMITIVE_CONDITION && looks_like_mutex_wait(call);
    struct lock mutex = *lock;
    // A condition variable hands its mutex back: then it is the mutex that is waited for.
    if (retaken && layout_glibc_mutex(finder, call, &mutex) &&
        finder_thread(finder, mutex.owner) != WAIT_NOBODY)
        *lock = mutex;
    else if (call->operation == FUTEX_LOCK_PI || call->operation == FUTEX_LOCK_PI2)
        by_kernel(finder, call, lock);
    else if (name->primitive == PRIMITIVE_UNNAMED)
        guess(finder, call, musl, lock);
    else
        apply_rule(finder, call, musl, name, lock);
    if (name->primitive == PRIMITIVE_OTHER && holds_a_lock(finder, call))
        lock->scanned = call->address;
}

void lock_find(const struct finder *finder, const struct wait_thread *thread, const char *call_name,
               struct lock *lock)
{
    *lock = (struct lock){.kind = WAIT_FUTEX};
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        if (strcmp(call_name, calls[i].name) != 0)
            continue;
        struct futex_call call = calls[i].decode(finder, thread->call.args);
        if (!call.address)
            return;
        lock->futex = lock->object = call.address;
        identify(finder, thread, &call, lock);
    }
}
