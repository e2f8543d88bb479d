// SPDX-License-Identifier: MIT
// bare_stop TID RATE SECONDS [CPU]: stops a thread and lets it go, and nothing else: what a sample
// costs at least. Waits as the sampler does, at its priority and with its rhythm. With TID 0 it
// keeps the rhythm and stops nobody. With the CPU that the thread is pinned to, it is pinned there
// too: its own timer interrupts the thread where it is, and it sleeps until the thread has stopped.
// Prints a JSON line.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define NS_PER_S 1000000000ll
#define SPIN_NS 20000
#define PATIENCE_NS (20 * 1000000ll)

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int has_stopped(pid_t tid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)tid, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0 &&
           info.si_pid != 0;
}

static void sleep_until(int64_t deadline, const sigset_t *wanted)
{
    int64_t left = deadline - clock_ns();
    struct timespec timeout = {left / NS_PER_S, left % NS_PER_S};
    if (left > 0)
        sigtimedwait(wanted, NULL, &timeout);
}

static int stop(pid_t tid, const sigset_t *wanted)
{
    int64_t asked = clock_ns();
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return 0;
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    while (!has_stopped(tid) && clock_ns() - asked < PATIENCE_NS)
        if (clock_ns() - asked > SPIN_NS)
            sleep_until(asked + PATIENCE_NS, wanted);
    return ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0;
}

// Whoever waits on the thread's own CPU must sleep, or the thread does not get there.
static int stop_here(pid_t tid)
{
    int status;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return 0;
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    waitpid(tid, &status, __WALL);
    return ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0;
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("sched_setaffinity");
}

static void set_up(sigset_t *wanted)
{
    struct rlimit limit = {500000, 500000};
    struct sched_param lowest = {.sched_priority = 1};
    sigemptyset(wanted);
    sigaddset(wanted, SIGCHLD);
    sigprocmask(SIG_BLOCK, wanted, NULL);
    prctl(PR_SET_TIMERSLACK, 1);
    setrlimit(RLIMIT_RTTIME, &limit);
    sched_setscheduler(0, SCHED_FIFO, &lowest); // refused without the right to it, as the sampler's
}

int main(int argc, char **argv)
{
    sigset_t wanted;
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: bare_stop TID RATE SECONDS [CPU]\n");
        return 2;
    }
    if (argc == 5)
        pin(atoi(argv[4]));
    pid_t tid = atoi(argv[1]);
    double period = NS_PER_S / atof(argv[2]);
    unsigned stops = 0;
    set_up(&wanted);
    int64_t began = clock_ns(), end = began + (int64_t)(atof(argv[3]) * NS_PER_S), next = began;
    while (next < end) {
        next += (int64_t)(period * (0.5 + rand() / (double)RAND_MAX));
        while (clock_ns() < next)
            sleep_until(next, &wanted);
        stops += !tid || (argc == 5 ? stop_here(tid) : stop(tid, &wanted));
    }
    printf("{\"stops\": %u, \"duration_ns\": %lld}\n", stops, (long long)(clock_ns() - began));
    return 0;
}
