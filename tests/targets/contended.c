// SPDX-License-Identifier: MIT
// contended LOCK [--sleeps] [--two] [--log FILE]
// A lock of the kind (the table `locks`) that hold_long and hold_short have in turn, 70 and 30 % of
// the time that it is held, and that two threads want whenever it is held, in want(). The holders
// work meanwhile, and what counts is CPU time; --sleeps: they sleep. --two: two threads hold it in
// turn, a function each.
// Prints, before "ready", the names of the meters (meter.h) in the order of the log:
//   {"meters": ["hold_long", "hold_short", "waiter1", "waiter2"], "lock": "the_mutex"}
// lock: its variable; "" where it lies on the heap. Works with glibc and with musl.
#include "meter.h"

#include <semaphore.h>

#define LONG (7 * MS)
#define SHORT (3 * MS)
#define GAP (100 * US) // between two holds: who waits has it meanwhile, for a moment

static pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER, *mutex = &the_mutex;
static pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static struct meter held[] = {{.name = "hold_long", .of = METER_CPU},
                              {.name = "hold_short", .of = METER_CPU}};
static struct meter waiters[] = {{.name = "waiter1"}, {.name = "waiter2"}};
static sem_t wanted[2]; // by the waiters
static bool sleeps;

// ---- kinds of locks

static void init_mutex(int type, int robust, int protocol)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    if (pthread_mutexattr_setprotocol(&attributes, protocol) != 0) {
        fprintf(stderr, "no mutex of this kind here\n");
        exit(1);
    }
    pthread_mutex_init(mutex, &attributes);
}

static void init_normal(void)
{
    init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

static void init_heap(void)
{
    mutex = malloc(sizeof *mutex);
    init_normal();
}

static void init_recursive(void)
{
    init_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

static void init_errorcheck(void)
{
    init_mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

#ifdef __GLIBC__
static void init_adaptive(void)
{
    init_mutex(PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}
#endif

static void init_robust(void)
{
    init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
}

static void init_pi(void)
{
    init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
}

static void lock_mutex(void)
{
    pthread_mutex_lock(mutex);
}

static void unlock_mutex(void)
{
    pthread_mutex_unlock(mutex);
}

static void lock_to_write(void)
{
    pthread_rwlock_wrlock(&the_rwlock);
}

static void lock_to_read(void)
{
    pthread_rwlock_rdlock(&the_rwlock);
}

static void unlock_rwlock(void)
{
    pthread_rwlock_unlock(&the_rwlock);
}

static const struct lock {
    const char *name, *variable;
    void (*init)(void), (*take)(void), (*want)(void), (*release)(void);
} locks[] = {
    {"normal", "the_mutex", init_normal, lock_mutex, lock_mutex, unlock_mutex},
    {"heap", "", init_heap, lock_mutex, lock_mutex, unlock_mutex},
    {"recursive", "the_mutex", init_recursive, lock_mutex, lock_mutex, unlock_mutex},
    {"errorcheck", "the_mutex", init_errorcheck, lock_mutex, lock_mutex, unlock_mutex},
#ifdef __GLIBC__
    {"adaptive", "the_mutex", init_adaptive, lock_mutex, lock_mutex, unlock_mutex},
#endif
    {"robust", "the_mutex", init_robust, lock_mutex, lock_mutex, unlock_mutex},
    {"pi", "the_mutex", init_pi, lock_mutex, lock_mutex, unlock_mutex},
    {"rwlock-write", "the_rwlock", NULL, lock_to_write, lock_to_write, unlock_rwlock},
    {"rwlock-read", "the_rwlock", NULL, lock_to_write, lock_to_read, unlock_rwlock},
};

static const struct lock *lock;

// ---- who holds it

static void have_it_wanted(void)
{
    for (size_t i = 0; i < 2; i++) {
        int value = 0;
        sem_getvalue(&wanted[i], &value);
        if (!value)
            sem_post(&wanted[i]);
    }
}

static DISTINCT void occupy(int64_t ns)
{
    have_it_wanted();
    if (sleeps) {
        sleep_ns(ns);
        return;
    }
    for (int64_t until = thread_cpu() + ns; thread_cpu() < until;)
        burn();
}

// The address stays on the stack, as that of a guard would.
static DISTINCT void hold_long(void)
{
    const void *volatile guard = strcmp(lock->variable, "the_rwlock") == 0 ? (void *)&the_rwlock
                                                                           : (void *)mutex;
    lock->take();
    meter_begin(&held[0]);
    occupy(LONG);
    meter_end(&held[0]);
    lock->release();
    (void)guard;
}

static DISTINCT void hold_short(void)
{
    const void *volatile guard = strcmp(lock->variable, "the_rwlock") == 0 ? (void *)&the_rwlock
                                                                           : (void *)mutex;
    lock->take();
    meter_begin(&held[1]);
    occupy(SHORT);
    meter_end(&held[1]);
    lock->release();
    (void)guard;
}

static bool long_is_behind(void)
{
    return held[0].ns * SHORT <= held[1].ns * LONG;
}

static void *hold_both(void *unused)
{
    for (size_t i = 0; i < 2; i++)
        meter_own(&held[i]);
    for (;;) {
        if (long_is_behind())
            hold_long();
        else
            hold_short();
        sleep_ns(GAP);
    }
    return unused;
}

static sem_t turns[2];

// Of two threads one holds it as the other one says; they never wait for each other's lock.
static void *hold_one(void *argument)
{
    size_t self = (size_t)(intptr_t)argument;
    meter_own(&held[self]);
    for (;;) {
        while (sem_wait(&turns[self]) != 0)
            ;
        self ? hold_short() : hold_long();
        sleep_ns(GAP);
        sem_post(&turns[long_is_behind() ? 0 : 1]);
    }
    return NULL;
}

// ---- who wants it

static DISTINCT void want(struct meter *meter)
{
    meter_begin(meter);
    lock->want();
    meter_end(meter);
    lock->release();
}

static void *waits(void *argument)
{
    size_t self = (size_t)(intptr_t)argument;
    meter_own(&waiters[self]);
    for (;;) {
        while (sem_wait(&wanted[self]) != 0)
            ;
        want(&waiters[self]);
    }
    return NULL;
}

static void await_meters(size_t count)
{
    while (__atomic_load_n(&meter_count, __ATOMIC_SEQ_CST) < count)
        sleep_ns(MS);
}

static void start_threads(bool two)
{
    for (size_t i = 0; i < 2; i++)
        sem_init(&turns[i], 0, i == 0), sem_init(&wanted[i], 0, 0);
    if (two) {
        start(hold_one, (void *)0, "holder1");
        await_meters(1);
        start(hold_one, (void *)1, "holder2");
    } else {
        start(hold_both, NULL, "holder");
    }
    await_meters(2);
    for (size_t i = 0; i < 2; i++) {
        start(waits, (void *)(intptr_t)i, waiters[i].name);
        await_meters(3 + i);
    }
}

static bool has(char **argv, const char *word)
{
    return option(argv, word) != NULL;
}

int main(int argc, char **argv)
{
    block_signals();
    for (size_t i = 0; argc > 1 && i < sizeof locks / sizeof locks[0]; i++)
        if (strcmp(locks[i].name, argv[1]) == 0)
            lock = &locks[i];
    if (!lock) {
        fprintf(stderr, "no such lock\n");
        return 2;
    }
    sleeps = has(argv, "--sleeps");
    if (sleeps)
        held[0].of = held[1].of = METER_TIME;
    if (lock->init)
        lock->init();
    start_threads(has(argv, "--two"));
    start_meter_log(argv, 4);
    printf("{\"meters\": [\"hold_long\", \"hold_short\", \"waiter1\", \"waiter2\"], "
           "\"lock\": \"%s\"}\n", lock->variable);
    ready();
    await_signal();
    _exit(0);
}
