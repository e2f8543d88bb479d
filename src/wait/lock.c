// SPDX-License-Identifier: MIT
#include "wait/lock.h"

#include <linux/futex.h>
#include <string.h>

#include "base/mem.h"
#include "wait/layout.h"
#include "wait/primitive.h"

#define FUTEX2_PRIVATE_FLAG 128u // of futex_wait and futex_waitv

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
        .shared = !(args[3] & FUTEX2_PRIVATE_FLAG),
    };
}

// Of several futexes only the first one is looked at.
static struct futex_call decode_futex_waitv(const struct finder *finder, const uint64_t *args)
{
    struct futex_waitv first;
    if (!args[1] || !finder_read(finder, args[0], &first, sizeof first))
        return (struct futex_call){0};
    return (struct futex_call){
        .address = first.uaddr,
        .operation = FUTEX_WAIT_BITSET,
        .value = (uint32_t)first.val,
        .shared = !(first.flags & FUTEX2_PRIVATE_FLAG),
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

// Idle threads of Go sleep on a word that is 0; a lock of Go is 2 while threads wait for it.
static bool layout_go_note(const struct finder *finder, const struct futex_call *call,
                           struct lock *lock)
{
    (void)finder;
    if (call->value)
        return false;
    lock->kind = WAIT_FUTEX;
    lock->object_kind = "parked";
    lock->object = 0;
    return true;
}

// A rule holds what is known of a primitive by its name, and the layouts that it may have. When
// none fits, the kind is still right, and the address is that of the futex.
static const struct rule {
    enum wait_kind kind;
    const char *object_kind;
    layout_reader *layouts[2];
    bool scanned; // if no layout fits: a holder has the word's address on its stack
    bool far;     // the futex word is not part of the primitive
} rules[] = {
    [PRIMITIVE_MUTEX] = {WAIT_LOCK, "mutex", {layout_glibc_mutex, layout_musl_mutex}},
    [PRIMITIVE_READ_LOCK] = {WAIT_LOCK,
                             "rwlock (to read)",
                             {layout_glibc_rwlock, layout_musl_rwlock}},
    [PRIMITIVE_WRITE_LOCK] = {WAIT_LOCK,
                              "rwlock (to write)",
                              {layout_glibc_rwlock, layout_musl_rwlock}},
    [PRIMITIVE_CONDITION] = {WAIT_CONDITION, "condition variable", {layout_glibc_condition}},
    [PRIMITIVE_SEMAPHORE] = {WAIT_SEMAPHORE, "semaphore", {layout_glibc_semaphore}},
    [PRIMITIVE_BARRIER] = {WAIT_BARRIER, "barrier", {layout_glibc_barrier}},
    [PRIMITIVE_JOIN] = {WAIT_JOIN, "thread", {layout_glibc_join, layout_musl_join}},
    [PRIMITIVE_ONCE] = {WAIT_LOCK, "once", .scanned = true},
    [PRIMITIVE_LIBC_LOCK] = {WAIT_LOCK,
                             "lock of the C library",
                             {layout_glibc_stream},
                             .scanned = true},
    [PRIMITIVE_WORD_LOCK] = {WAIT_LOCK, "lock", .scanned = true},
    [PRIMITIVE_FAR_LOCK] = {WAIT_LOCK, "lock", .far = true},
    [PRIMITIVE_FAR_CONDITION] = {WAIT_CONDITION, "condition variable", .far = true},
    [PRIMITIVE_PARKED] = {WAIT_FUTEX, "parked", .far = true},
    [PRIMITIVE_GO] = {WAIT_LOCK, "lock of the Go runtime", {layout_go_note}, .scanned = true},
};

// The library whose code made the system call.
enum libc { LIBC_NONE, LIBC_GLIBC, LIBC_MUSL };

static enum libc libc_of(const struct finder *finder, const struct wait_thread *thread)
{
    const struct wait_process *process = finder->process;
    const char *path = process->file ? process->file(process->context, thread->call.pc) : NULL;
    const char *name = path ? strrchr(path, '/') : NULL;
    const char *leaf = thread->frame_count ? thread->frames[0].name : NULL;
    if ((path && strstr(path, "musl")) || (leaf && strstr(leaf, "__syscall_cp_")))
        return LIBC_MUSL;
    if (!name)
        return LIBC_NONE;
    bool glibc = strncmp(name, "/libc.so", 8) == 0 || strncmp(name, "/libc-", 6) == 0 ||
                 strncmp(name, "/libpthread", 11) == 0;
    return glibc ? LIBC_GLIBC : LIBC_NONE;
}

static bool looks_like_mutex_wait(const struct futex_call *call)
{
    return call->value == 2 || call->value & FUTEX_WAITERS;
}

// A futex word may be a counter, a flag or anything else. A lock of one word is 1 or 2 when it is
// taken, or has the kernel's bit for waiters; only then is it useful to look for a holder.
static bool looks_taken(const struct finder *finder, const struct futex_call *call)
{
    uint32_t word;
    return finder_read(finder, call->address, &word, sizeof word) &&
           (word == 1 || word == 2 || (word & FUTEX_WAITERS && word != UINT32_MAX));
}

// The layouts that the memory alone proves, for each library; for the mutex see guess_mutex.
static layout_reader *const certain[][5] = {
    [LIBC_NONE] = {layout_glibc_join},
    [LIBC_GLIBC] = {layout_glibc_join, layout_glibc_semaphore},
    [LIBC_MUSL] = {layout_musl_join, layout_musl_condition, layout_musl_semaphore,
                   layout_musl_rwlock, layout_musl_stream},
};

// The memory is a mutex if its owner is one of the threads. A normal mutex of musl has no owner,
// but its waiters wait for a value of musl's own. In a static program the library is not known.
static bool guess_mutex(const struct finder *finder, const struct futex_call *call,
                        enum libc libc, struct lock *lock)
{
    static layout_reader *const readers[] = {layout_glibc_mutex, layout_musl_mutex};
    bool glibc = libc == LIBC_GLIBC;
    size_t first = libc == LIBC_MUSL;
    for (size_t i = first; looks_like_mutex_wait(call) && i < ARRAY_LENGTH(readers); i++) {
        struct lock found = *lock;
        if (readers[i](finder, call, &found) &&
            ((!glibc && found.scanned) || finder_thread(finder, found.owner) != WAIT_NOBODY)) {
            *lock = found;
            return true;
        }
    }
    return false;
}

static bool guess(const struct finder *finder, const struct futex_call *call, enum libc libc,
                  struct lock *lock)
{
    if (guess_mutex(finder, call, libc, lock))
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(certain[libc]) && certain[libc][i]; i++)
        if (certain[libc][i](finder, call, lock))
            return true;
    return false;
}

static void apply_rule(const struct finder *finder, const struct futex_call *call, enum libc libc,
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
    // The futex word belongs to the waiter and not to the primitive; musl has it on the stack.
    if (rule->far || (libc == LIBC_MUSL && (name->primitive == PRIMITIVE_CONDITION ||
                                            name->primitive == PRIMITIVE_BARRIER)))
        lock->object = 0;
}

// The kernel defines the futex word of a priority-inheriting lock: the owner needs no layout.
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
    lock->owner_at = call->address;
}

// Returns whether the program made the lock: it calls the kernel itself or by libc's syscall().
static bool is_hand_made(const struct wait_thread *thread, enum libc libc, enum primitive primitive)
{
    const char *leaf = thread->frame_count ? thread->frames[0].name : NULL;
    if (leaf && strcmp(leaf, "syscall") == 0)
        return true;
    // A name inside the C library may be wrong: it is that of the exported function before a local
    // one whose name was stripped.
    return primitive == PRIMITIVE_OTHER && libc == LIBC_NONE;
}

static void identify(const struct finder *finder, const struct wait_thread *thread,
                     const struct futex_call *call, struct lock *lock)
{
    const struct primitive_name *name = primitive_find(thread->frames, thread->frame_count);
    enum libc libc = libc_of(finder, thread);
    bool retaken = name->primitive == PRIMITIVE_CONDITION && guess_mutex(finder, call, libc, lock);
    bool named = name->primitive != PRIMITIVE_OTHER && name->primitive != PRIMITIVE_UNNAMED;
    // A condition variable takes its mutex again before it returns: then the mutex is waited for.
    if (retaken)
        return;
    if (layout_is_pi(call))
        by_kernel(finder, call, lock);
    else if (named)
        apply_rule(finder, call, libc, name, lock);
    else if ((is_hand_made(thread, libc, name->primitive) || !guess(finder, call, libc, lock)) &&
             looks_taken(finder, call))
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
        call.sp = thread->call.sp;
        lock->shared = call.shared;
        lock->futex = lock->object = call.address;
        identify(finder, thread, &call, lock);
    }
}
