// SPDX-License-Identifier: MIT
// locks MODE: threads that wait for each other in the way of the mode (the table `modes` below),
// for ever. Prints one line of JSON, then "ready", when each of them is in its futex call:
//   {"waits": [{"tid": 12, "name": "waiter", "kind": "lock", "object_kind": "mutex",
//               "object": "the_mutex", "holder": 11, "probable": false}, ...],
//    "deadlock": [12, 11, ...]}
// kind: as in wait_kind_names. object: the variable, "" where it has no symbol. holder: 0 for none.
// probable: nothing says the holder, but its stack holds the lock's address. deadlock: the tids in
// the order in which each waits for the next one, or empty. Works with glibc and with musl.
#include "target.h"

#include <errno.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define THREADS 8

static pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER, mutexes[5];
static pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t the_condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t the_barrier;
static sem_t the_semaphore;
static int the_word; // of a lock of our own: 0 free, 1 taken, 2 taken and waited for
static pthread_t joined;

struct waiting {
    pid_t tid;
    const char *name, *kind, *object_kind, *object;
    pid_t holder;
    bool probable;
};

static struct waiting waits[THREADS];
static size_t wait_count;
static pid_t deadlock[THREADS];
static size_t deadlock_count;

static pid_t own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

// ---- a lock of our own, which tells nobody who has it

static DISTINCT void word_lock(int *word)
{
    int expected = 0;
    if (__atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

// ---- what holders and waiters do

typedef void (*action)(void);

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
    pthread_mutex_init(&the_mutex, &attributes);
}

static void init_recursive(void)
{
    init_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

static void init_errorcheck(void)
{
    init_mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
}

static void init_robust(void)
{
    init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
}

static void init_pi(void)
{
    init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
}

static void init_pi_robust(void)
{
    init_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT);
}

static void init_semaphore(void)
{
    sem_init(&the_semaphore, 0, 0);
}

static void init_barrier(void)
{
    pthread_barrier_init(&the_barrier, NULL, 3);
}

static void lock_mutex(void)
{
    pthread_mutex_lock(&the_mutex);
}

static void timedlock_mutex(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3600;
    pthread_mutex_timedlock(&the_mutex, &until);
}

static void lock_to_write(void)
{
    pthread_rwlock_wrlock(&the_rwlock);
}

static void lock_to_read(void)
{
    pthread_rwlock_rdlock(&the_rwlock);
}

static void lock_word(void)
{
    word_lock(&the_word);
}

static void wait_condition(void)
{
    pthread_mutex_lock(&the_mutex);
    for (;;)
        pthread_cond_wait(&the_condition, &the_mutex);
}

static void wait_semaphore(void)
{
    sem_wait(&the_semaphore);
}

static void wait_barrier(void)
{
    pthread_barrier_wait(&the_barrier);
}

static void join_other(void)
{
    pthread_join(joined, NULL);
}

static FILE *stream;

static void init_stream(void)
{
    stream = fopen("/dev/null", "w");
}

static void lock_stream(void)
{
    flockfile(stream);
}

static void print_to_stream(void)
{
    fputs("nobody reads this", stream);
}

// ---- one holder, one waiter

struct mode {
    const char *name;
    action init, take, wait; // take NULL: nobody holds it; wait NULL: as take
    const char *kind, *object_kind, *object;
    bool probable;
    const void *address; // that a holder has on its stack
    void (*run)(const struct mode *mode); // NULL: run_pair
};

static volatile pid_t holder_tid, waiter_tid;

// The address stays on the stack, as that of a guard would.
static void *hold(void *argument)
{
    const struct mode *mode = argument;
    const void *volatile guard = mode->address;
    if (mode->take)
        mode->take();
    holder_tid = own_tid();
    for (;;)
        pause();
    return (void *)guard;
}

static void *wait_for_it(void *argument)
{
    const struct mode *mode = argument;
    waiter_tid = own_tid();
    (mode->wait ? mode->wait : mode->take)();
    for (;;)
        pause();
    return NULL;
}

static void await(volatile pid_t *tid)
{
    while (!*tid)
        sleep_ns(MS);
}

// Until the thread is in a futex call (and, as it has nothing else to do, asleep there).
static void await_futex(pid_t tid)
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    for (;; sleep_ns(MS)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = '\0';
        char *end;
        long call = strtol(text, &end, 10);
        if (end != text && call == SYS_futex)
            return;
    }
}

static void add(struct waiting waiting)
{
    await_futex(waiting.tid);
    waits[wait_count++] = waiting;
}

static void run_pair(const struct mode *mode)
{
    joined = start(hold, (void *)mode, "holder");
    await(&holder_tid);
    start(wait_for_it, (void *)mode, "waiter");
    await(&waiter_tid);
    bool held = mode->take || mode->wait == join_other;
    add((struct waiting){waiter_tid, "waiter", mode->kind, mode->object_kind, mode->object,
                         held ? holder_tid : 0, mode->probable});
}

// ---- more of them

static struct ring_thread {
    volatile pid_t tid;
    size_t number, count;
} ring[5];

static pthread_barrier_t ring_barrier;

static void *take_two(void *argument)
{
    struct ring_thread *self = argument;
    pthread_mutex_lock(&mutexes[self->number]);
    self->tid = own_tid();
    pthread_barrier_wait(&ring_barrier);
    pthread_mutex_lock(&mutexes[(self->number + 1) % self->count]);
    for (;;)
        pause();
    return NULL;
}

static void run_ring(size_t count)
{
    static const char *const names[] = {"ring0", "ring1", "ring2", "ring3", "ring4"};
    static const char *const objects[] = {"mutexes", "mutexes+0x28", "mutexes+0x50",
                                          "mutexes+0x78", "mutexes+0xa0"};
    pthread_barrier_init(&ring_barrier, NULL, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_init(&mutexes[i], NULL);
        ring[i].number = i;
        ring[i].count = count;
        start(take_two, &ring[i], names[i]);
    }
    for (size_t i = 0; i < count; i++)
        await(&ring[i].tid);
    for (size_t i = 0; i < count; i++) {
        size_t next = (i + 1) % count;
        add((struct waiting){ring[i].tid, names[i], "lock", "mutex", objects[next],
                             ring[next].tid, false});
        deadlock[deadlock_count++] = ring[i].tid;
    }
}

static void run_deadlock2(const struct mode *mode)
{
    (void)mode;
    run_ring(2);
}

static void run_deadlock5(const struct mode *mode)
{
    (void)mode;
    run_ring(5);
}

// Two threads, each holds what the other one wants.
static const struct mixed {
    const char *name;
    action first_takes, first_wants, second_takes, second_wants;
    struct waiting first, second; // without tids
    bool certain;
} mixed_modes[] = {
    {"deadlock-rwlock", lock_to_write, lock_mutex, lock_mutex, lock_to_read,
     {0, "first", "lock", "mutex", "the_mutex", 0, false},
     {0, "second", "lock", "rwlock (to read)", "the_rwlock", 0, false}, true},
    {"deadlock-readers", lock_to_read, lock_mutex, lock_mutex, lock_to_write,
     {0, "first", "lock", "mutex", "the_mutex", 0, false},
     {0, "second", "lock", "rwlock (to write)", "the_rwlock", 0, true}, false},
};

static volatile pid_t mixed_tids[2];

static void *be_first(void *argument)
{
    const struct mixed *mixed = argument;
    const void *volatile guard = &the_rwlock;
    mixed->first_takes();
    mixed_tids[0] = own_tid();
    pthread_barrier_wait(&ring_barrier);
    mixed->first_wants();
    return (void *)guard;
}

static void *be_second(void *argument)
{
    const struct mixed *mixed = argument;
    mixed->second_takes();
    mixed_tids[1] = own_tid();
    pthread_barrier_wait(&ring_barrier);
    mixed->second_wants();
    return NULL;
}

static void run_mixed(const struct mode *mode)
{
    const struct mixed *mixed = mixed_modes;
    while (strcmp(mixed->name, mode->name) != 0)
        mixed++;
    pthread_barrier_init(&ring_barrier, NULL, 2);
    start(be_first, (void *)mixed, "first");
    start(be_second, (void *)mixed, "second");
    await(&mixed_tids[0]);
    await(&mixed_tids[1]);
    struct waiting first = mixed->first, second = mixed->second;
    first.tid = second.holder = deadlock[0] = mixed_tids[0];
    second.tid = first.holder = deadlock[1] = mixed_tids[1];
    deadlock_count = mixed->certain ? 2 : 0;
    add(first);
    add(second);
}

// One holds the mutex and waits for the end of the other one, which wants it.
static void *join_holding(void *unused)
{
    pthread_mutex_lock(&the_mutex);
    waiter_tid = own_tid();
    pthread_join(joined, NULL);
    return unused;
}

static void *want_mutex(void *unused)
{
    holder_tid = own_tid();
    await(&waiter_tid);
    pthread_mutex_lock(&the_mutex);
    return unused;
}

static void run_deadlock_join(const struct mode *mode)
{
    (void)mode;
    joined = start(want_mutex, NULL, "wants");
    await(&holder_tid);
    start(join_holding, NULL, "joins");
    await(&waiter_tid);
    add((struct waiting){holder_tid, "wants", "lock", "mutex", "the_mutex", waiter_tid, false});
    add((struct waiting){waiter_tid, "joins", "join", "thread", "", holder_tid, false});
    deadlock[deadlock_count++] = holder_tid;
    deadlock[deadlock_count++] = waiter_tid;
}

// A thread that takes a mutex twice waits for itself.
static void *lock_twice(void *unused)
{
    waiter_tid = own_tid();
    pthread_mutex_lock(&the_mutex);
    pthread_mutex_lock(&the_mutex);
    return unused;
}

static void run_deadlock_self(const struct mode *mode)
{
    (void)mode;
    start(lock_twice, NULL, "twice");
    await(&waiter_tid);
    add((struct waiting){waiter_tid, "twice", "lock", "mutex", "the_mutex", waiter_tid, false});
    deadlock[deadlock_count++] = waiter_tid;
}

// Nothing wrong: somebody sleeps with a mutex that four want.
static void run_slow_holder(const struct mode *mode)
{
    run_pair(mode);
    for (int i = 0; i < 3; i++) {
        waiter_tid = 0;
        start(wait_for_it, (void *)mode, "waiter");
        await(&waiter_tid);
        add((struct waiting){waiter_tid, "waiter", mode->kind, mode->object_kind, mode->object,
                             holder_tid, false});
    }
}

// The holder is gone, and its mutex with it.
static void *lock_and_end(void *unused)
{
    pthread_mutex_lock(&the_mutex);
    holder_tid = own_tid();
    return unused;
}

static void run_dead_holder(const struct mode *mode)
{
    pthread_join(start(lock_and_end, NULL, "ends"), NULL);
    start(wait_for_it, (void *)mode, "waiter");
    await(&waiter_tid);
    add((struct waiting){waiter_tid, "waiter", "lock", "mutex", "the_mutex", holder_tid, false});
}

// A mutex that another process has.
static pthread_mutex_t *shared_mutex;

static void lock_shared_mutex(void)
{
    pthread_mutex_lock(shared_mutex);
}

static void run_shared(const struct mode *mode)
{
    struct {
        pthread_mutex_t mutex;
        volatile pid_t holder;
    } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &attributes);
    shared_mutex = &shared->mutex;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        lock_shared_mutex();
        shared->holder = own_tid();
        for (;;)
            pause();
    }
    await(&shared->holder);
    start(wait_for_it, (void *)mode, "waiter");
    await(&waiter_tid);
    add((struct waiting){waiter_tid, "waiter", "lock", "mutex", "", shared->holder, false});
}

static const struct mode modes[] = {
    {"mutex", NULL, lock_mutex, NULL, "lock", "mutex", "the_mutex", .address = &the_mutex},
    {"timedlock", NULL, lock_mutex, timedlock_mutex, "lock", "mutex", "the_mutex",
     .address = &the_mutex},
    {"recursive", init_recursive, lock_mutex, NULL, "lock", "recursive mutex", "the_mutex"},
    {"errorcheck", init_errorcheck, lock_mutex, NULL, "lock", "error-checking mutex",
     "the_mutex"},
    {"robust", init_robust, lock_mutex, NULL, "lock", "robust mutex", "the_mutex"},
    {"pi", init_pi, lock_mutex, NULL, "lock", "priority-inheriting mutex", "the_mutex"},
    {"pi-robust", init_pi_robust, lock_mutex, NULL, "lock",
     "priority-inheriting robust recursive mutex", "the_mutex"},
    {"rwlock-write", NULL, lock_to_write, NULL, "lock", "rwlock (to write)", "the_rwlock",
     .address = &the_rwlock},
    {"rwlock-read", NULL, lock_to_write, lock_to_read, "lock", "rwlock (to read)", "the_rwlock",
     .address = &the_rwlock},
    {"rwlock-readers", NULL, lock_to_read, lock_to_write, "lock", "rwlock (to write)",
     "the_rwlock", true, &the_rwlock},
    {"cond", NULL, NULL, wait_condition, "condition", "condition variable", "the_condition"},
    {"sem", init_semaphore, NULL, wait_semaphore, "semaphore", "semaphore", "the_semaphore"},
    {"barrier", init_barrier, NULL, wait_barrier, "barrier", "barrier", "the_barrier"},
    {"join", NULL, NULL, join_other, "join", "thread", ""},
    {"stream", init_stream, lock_stream, print_to_stream, "lock", "lock of a stream", ""},
    {"futex", NULL, lock_word, NULL, "futex", "", "the_word", true, &the_word},
    {"deadlock2", .run = run_deadlock2},
    {"deadlock5", .run = run_deadlock5},
    {"deadlock-rwlock", .run = run_mixed},
    {"deadlock-readers", .run = run_mixed},
    {"deadlock-join", .run = run_deadlock_join},
    {"deadlock-self", .run = run_deadlock_self},
    {"slow-holder", NULL, lock_mutex, NULL, "lock", "mutex", "the_mutex", .run = run_slow_holder},
    {"shared", NULL, lock_shared_mutex, NULL, .run = run_shared},
    {"dead-holder", NULL, lock_mutex, NULL, .run = run_dead_holder},
};

static void print_truth(void)
{
    printf("{\"waits\": [");
    for (size_t i = 0; i < wait_count; i++)
        printf("%s{\"tid\": %d, \"name\": \"%s\", \"kind\": \"%s\", \"object_kind\": \"%s\", "
               "\"object\": \"%s\", \"holder\": %d, \"probable\": %s}",
               i ? ", " : "", waits[i].tid, waits[i].name, waits[i].kind, waits[i].object_kind,
               waits[i].object, waits[i].holder, waits[i].probable ? "true" : "false");
    printf("], \"deadlock\": [");
    for (size_t i = 0; i < deadlock_count; i++)
        printf("%s%d", i ? ", " : "", deadlock[i]);
    puts("]}");
}

int main(int argc, char **argv)
{
    block_signals();
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, argv[1]) != 0)
            continue;
        if (modes[i].init)
            modes[i].init();
        (modes[i].run ? modes[i].run : run_pair)(&modes[i]);
        print_truth();
        ready();
        await_signal();
        _exit(0);
    }
    fprintf(stderr, "usage: locks MODE, one of:");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        fprintf(stderr, " %s", modes[i].name);
    fputc('\n', stderr);
    return 2;
}
