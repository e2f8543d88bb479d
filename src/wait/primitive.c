// SPDX-License-Identifier: MIT
#include "wait/primitive.h"

#include <string.h>

#include "base/mem.h"

#define NAMED_FRAMES 6 // how many frames with a name are looked at, from the leaf on

// These are beginnings of names, without leading underscores and glibc's "GI_" and "new_".
static const struct primitive_name libc_names[] = {
    {"pthread_mutex_", PRIMITIVE_MUTEX, NULL},
    {"lll_mutex_lock", PRIMITIVE_MUTEX, NULL},
    {"mtx_lock", PRIMITIVE_MUTEX, NULL},
    {"mtx_timedlock", PRIMITIVE_MUTEX, NULL},
    {"pthread_rwlock_rd", PRIMITIVE_READ_LOCK, NULL},
    {"pthread_rwlock_timedrd", PRIMITIVE_READ_LOCK, NULL},
    {"pthread_rwlock_clockrd", PRIMITIVE_READ_LOCK, NULL},
    {"pthread_rwlock_wr", PRIMITIVE_WRITE_LOCK, NULL},
    {"pthread_rwlock_timedwr", PRIMITIVE_WRITE_LOCK, NULL},
    {"pthread_rwlock_clockwr", PRIMITIVE_WRITE_LOCK, NULL},
    {"pthread_cond_", PRIMITIVE_CONDITION, NULL},
    {"cnd_", PRIMITIVE_CONDITION, NULL},
    {"sem_wait", PRIMITIVE_SEMAPHORE, NULL},
    {"sem_timedwait", PRIMITIVE_SEMAPHORE, NULL},
    {"sem_clockwait", PRIMITIVE_SEMAPHORE, NULL},
    {"pthread_barrier_", PRIMITIVE_BARRIER, NULL},
    {"pthread_join", PRIMITIVE_JOIN, NULL},
    {"pthread_timedjoin", PRIMITIVE_JOIN, NULL},
    {"pthread_clockjoin", PRIMITIVE_JOIN, NULL},
    {"thrd_join", PRIMITIVE_JOIN, NULL},
    {"pthread_once", PRIMITIVE_ONCE, "once"},
    {"cxa_guard_acquire", PRIMITIVE_ONCE, "static initialisation"},
    {"lll_lock_wait_private", PRIMITIVE_LIBC_LOCK, NULL},
};

// Functions between those above and the system call. All are in a C library, except syscall().
static const char *const between[] = {
    "futex_",         "lll_lock_wait",    "lll_timedlock_wait", "lll_clocklock_wait",
    "timedwait",      "do_futex_wait",    "syscall_cp",         "syscall_cancel",
    "cp_begin",       "cp_end",           "sem_wait_slow",      "internal_syscall_cancel",
};

// Functions of language runtimes and other libraries, matched against any part of the mangled name.
static const struct primitive_name foreign_names[] = {
    {"14lock_contended", PRIMITIVE_WORD_LOCK, "mutex"}, // Rust's std
    {"14read_contended", PRIMITIVE_WORD_LOCK, "rwlock (to read)"},
    {"15write_contended", PRIMITIVE_WORD_LOCK, "rwlock (to write)"},
    {"7Condvar", PRIMITIVE_FAR_CONDITION, "condition variable"},
    {"4Once4call", PRIMITIVE_ONCE, "once"},
    {"6Parker", PRIMITIVE_PARKED, "parked"},
    {"9raw_mutex", PRIMITIVE_FAR_LOCK, "mutex"}, // parking_lot
    {"10raw_rwlock", PRIMITIVE_FAR_LOCK, "rwlock"},
    {"7condvar", PRIMITIVE_FAR_CONDITION, "condition variable"},
    {"5Mutex8LockSlow", PRIMITIVE_FAR_LOCK, "mutex"}, // absl
    {"7CondVar", PRIMITIVE_FAR_CONDITION, "condition variable"},
    {"runtime.futex", PRIMITIVE_GO, NULL},
};

// Locks that are made of a condition variable of the C library, by parts of mangled names, too.
static const struct primitive_name condition_locks[] = {
    {"13ObjectMonitor5enter", PRIMITIVE_FAR_LOCK, "Java monitor"},
    {"13ObjectMonitor6EnterI", PRIMITIVE_FAR_LOCK, "Java monitor"},
    {"take_gil", PRIMITIVE_FAR_LOCK, "interpreter lock"}, // CPython
};

static const struct primitive_name unnamed = {"", PRIMITIVE_UNNAMED, NULL};
static const struct primitive_name other = {"", PRIMITIVE_OTHER, NULL};

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static const char *bare(const char *name)
{
    name += strspn(name, "_");
    name += begins(name, "GI_") ? 3 : 0;
    name += strspn(name, "_");
    return name + (begins(name, "new_sem_") ? 4 : 0);
}

static const struct primitive_name *libc_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(libc_names); i++)
        if (begins(bare(name), libc_names[i].text))
            return &libc_names[i];
    return NULL;
}

static const struct primitive_name *foreign_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(foreign_names); i++)
        if (strstr(name, foreign_names[i].text))
            return &foreign_names[i];
    return NULL;
}

// Returns the lock that waits by this condition variable, or else the condition variable.
static const struct primitive_name *lock_above(const struct primitive_name *condition,
                                               const struct wait_frame *frames, size_t count)
{
    for (size_t i = 0; i < count && i < NAMED_FRAMES; i++)
        for (size_t k = 0; frames[i].name && k < ARRAY_LENGTH(condition_locks); k++)
            if (strstr(frames[i].name, condition_locks[k].text))
                return &condition_locks[k];
    return condition;
}

static bool stands_between(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(between); i++)
        if (begins(bare(name), between[i]))
            return true;
    return strcmp(name, "__wait") == 0; // musl's
}

const struct primitive_name *primitive_find(const struct wait_frame *frames, size_t count)
{
    // A leaf without a name is most often a local function of a stripped C library.
    bool inside_libc = true, other_leaf = count && frames[0].name && frames[0].name[0] &&
                                          !stands_between(frames[0].name);
    size_t named = 0;
    for (size_t i = 0; i < count && named < NAMED_FRAMES; i++) {
        const char *name = frames[i].name;
        if (!name || !name[0])
            continue;
        named++;
        const struct primitive_name *found = inside_libc ? libc_name(name) : NULL;
        if (!found)
            found = foreign_name(name);
        if (found)
            return found->primitive == PRIMITIVE_CONDITION
                       ? lock_above(found, frames + i, count - i) : found;
        inside_libc = inside_libc && stands_between(name);
    }
    return other_leaf ? &other : &unnamed;
}
