// SPDX-License-Identifier: MIT
// skid --kind KIND [--every NS] [--threads N]
// Threads that spend a part of their time in computes(), and the rest in what a stop that comes
// late finds too often. The kinds are at the end. The price of a call is never assumed: SIGTERM
// prints what was measured, and "odd", the results of calls that were not as they should be.
#include "target.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LONG_NS (20 * US) // a stretch that is longer than it should be was interrupted
#define PAGE 4096
#define PAGES 512
#define BYTES (PAGES * PAGE)

static double loops_per_ns;
static int64_t every;
static _Atomic int64_t odd;
static _Atomic int64_t first_ns, second_ns; // CPU time in the two functions of the kind `hop`
static _Atomic int64_t computed_ns; // in computes(): CPU time, or elapsed and undisturbed time
static int64_t other_ns;            // and in the rest, of kinds that never sleep
static volatile uint64_t sink;

// --- the functions that samples are told apart by

// Whole in each of them: an inlined function would be the leaf.
#define SPINS(name)                                                                        \
    __attribute__((noipa)) DISTINCT static void name(int64_t ns)                           \
    {                                                                                      \
        uint64_t value = sink;                                                             \
        for (int64_t left = (int64_t)((double)ns * loops_per_ns); left > 0; left--) {      \
            value = value * 2862933555777941757u + 3037000493u;                            \
            __asm__ volatile("" : "+r"(value));                                            \
        }                                                                                  \
        sink = value;                                                                      \
    }

SPINS(computes)
SPINS(in_handler)
SPINS(first_after_the_hop)
SPINS(then_the_second)
SPINS(one)
SPINS(two)
SPINS(three)
SPINS(four)

static void calibrate(void)
{
    int64_t least = S;
    loops_per_ns = 1;
    for (int i = 0; i < 20; i++) {
        int64_t before = clock_ns(CLOCK_MONOTONIC);
        computes(100000);
        int64_t ns = clock_ns(CLOCK_MONOTONIC) - before;
        least = ns < least ? ns : least;
    }
    loops_per_ns = 100000.0 / (double)least;
}

// --- one turn of each kind that never sleeps

static void calls(void)
{
    getppid();
}

static void touches_a_page(void)
{
    static _Thread_local volatile char *pages;
    static _Thread_local int next;
    if (!pages)
        pages = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        die("mmap");
    if (next == 0) {
        madvise((void *)pages, BYTES, MADV_NOHUGEPAGE);
        madvise((void *)pages, BYTES, MADV_DONTNEED);
    }
    pages[next * PAGE] = 1;
    next = (next + 1) % PAGES;
}

static void raises(void)
{
    if (syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2) != 0)
        odd++;
}

static void asks_the_time(void)
{
    for (int i = 0; i < 20; i++)
        sink += (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

static void handler(int number)
{
    (void)number;
    in_handler(2 * US);
}

// The clock is read between the two parts, so its own price falls to `other`: that is a little too
// large, and what was computed a lower bound.
static void *turns(void *turn)
{
    static _Atomic bool taken;
    bool counts = !atomic_exchange(&taken, true);
    for (int64_t begin = clock_ns(CLOCK_MONOTONIC);;) {
        computes(every);
        int64_t between = clock_ns(CLOCK_MONOTONIC);
        ((void (*)(void))turn)();
        int64_t end = clock_ns(CLOCK_MONOTONIC);
        if (counts && between - begin < every + LONG_NS && end - between < every + LONG_NS) {
            computed_ns += between - begin;
            other_ns += end - between;
        }
        begin = end;
    }
    return NULL;
}

// --- kinds that sleep

static int64_t clock_price; // between two readings in a row, of the thread's CPU clock

static void price_the_clock(void)
{
    clock_price = S;
    for (int i = 0; i < 1000; i++) {
        int64_t before = thread_cpu(), ns = thread_cpu() - before;
        clock_price = ns < clock_price ? ns : clock_price;
    }
}

// In CPU time: that does not go on while another has the CPU, and the truth is a share of it.
static void computes_and_counts(void)
{
    int64_t begin = thread_cpu();
    computes(every);
    computed_ns += thread_cpu() - begin - clock_price;
}

static int pipes[2][2];

static void *plays(void *side)
{
    int in = pipes[side == NULL][0], out = pipes[side != NULL][1];
    for (char ball = 0;;) {
        if (read(in, &ball, 1) != 1)
            odd++;
        computes_and_counts();
        if (write(out, &ball, 1) != 1)
            odd++;
    }
    return NULL;
}

static void ping_pong(void)
{
    if (pipe(pipes[0]) != 0 || pipe(pipes[1]) != 0 || write(pipes[0][1], "", 1) != 1)
        die("pipe");
    start(plays, NULL, "work");
    start(plays, pipes, "work");
}

static int event_fd;

static void *serves(void *unused)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event) != 0)
        die("epoll");
    for (eventfd_t value;;) {
        if (epoll_wait(epoll, &event, 1, -1) != 1 || eventfd_read(event_fd, &value) != 0)
            odd++;
        computes_and_counts();
    }
    return unused;
}

static _Noreturn void asks(pid_t server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    if (getppid() != server)
        _exit(0);
    for (;;) {
        sleep_ns(20 * US);
        eventfd_write(event_fd, 1);
    }
}

static void server(void)
{
    event_fd = eventfd(0, 0);
    pid_t self = getpid();
    if (fork() == 0)
        asks(self);
    start(serves, NULL, "work");
}

// --- kinds that move, or share a CPU

static cpu_set_t allowed;

static int next_cpu(int cpu)
{
    do
        cpu = (cpu + 1) % CPU_SETSIZE;
    while (!CPU_ISSET((size_t)cpu, &allowed));
    return cpu;
}

static void pin_self(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("sched_setaffinity");
}

static int64_t spends(void (*function)(int64_t), int64_t ns)
{
    int64_t begin = thread_cpu(), now = begin;
    for (; now - begin < ns; now = thread_cpu())
        function(5 * US);
    return now - begin;
}

static void *hops(void *unused)
{
    for (int cpu = 0;;) {
        pin_self(cpu = next_cpu(cpu));
        first_ns += spends(first_after_the_hop, 100 * US);
        second_ns += spends(then_the_second, 900 * US);
    }
    return unused;
}

static void hop(void)
{
    start(hops, NULL, "work");
}

static void (*const QUARTET[])(int64_t) = {one, two, three, four};

// So that the one that runs is not the one that ran a moment ago; each has a share of its own. Who
// has just come onto a CPU keeps it for 100 us against a sampler without real-time priority (the
// kernel's RUN_TO_PARITY): turns that are shorter would be seen at their ends.
static void *takes_turns(void *number)
{
    pin_self(next_cpu(-1));
    for (intptr_t i = (intptr_t)number;;) {
        QUARTET[i]((i + 1) * 200 * US);
        sched_yield();
    }
    return NULL;
}

static void quartet(void)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    for (intptr_t i = 0; i < 4; i++)
        start(takes_turns, (void *)i, names[i]);
}

static const struct kind {
    const char *name;
    void (*turn)(void); // after each stretch in computes(), for ever
    void (*begin)(void); // or what starts the threads
} KINDS[] = {
    {.name = "call", .turn = calls},
    {.name = "fault", .turn = touches_a_page},
    {.name = "signal", .turn = raises},
    {.name = "vdso", .turn = asks_the_time},
    {.name = "pipe", .begin = ping_pong},
    {.name = "epoll", .begin = server},
    {.name = "hop", .begin = hop},
    {.name = "quartet", .begin = quartet},
};

static const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (name && strcmp(KINDS[i].name, name) == 0)
            return &KINDS[i];
    fprintf(stderr, "no such kind: %s\n", name ? name : "(none)");
    exit(2);
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct kind *kind = kind_named(option(argv, "--kind"));
    every = number(argv, "--every", 5 * US);
    block_signals();
    signal(SIGUSR2, handler);
    calibrate();
    price_the_clock();
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (long i = kind->turn ? number(argv, "--threads", 1) : 0; i > 0; i--)
        start(turns, (void *)kind->turn, "work");
    if (kind->begin)
        kind->begin();
    ready();
    int64_t used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    computed_ns = 0;
    await_signal();
    if (!kind->turn)
        other_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used - computed_ns;
    printf("{\"odd\": %lld, \"computed\": %lld, \"other\": %lld, ", (long long)odd,
           (long long)computed_ns, (long long)other_ns);
    printf("\"first\": %lld, \"second\": %lld}\n", (long long)first_ns, (long long)second_ns);
    return 0;
}
