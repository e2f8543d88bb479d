// SPDX-License-Identifier: MIT
// What the targets share. A target prints "ready" when all its threads are there and works until it
// is told to end by SIGTERM (or killed); one that knows a truth then prints it as a line of JSON.
// Times are ns throughout.
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define US 1000LL
#define MS 1000000LL
#define S 1000000000LL

static inline _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static inline int64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * S + now.tv_nsec;
}

static inline int64_t thread_cpu(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / S, .tv_nsec = ns % S};
}

static inline void sleep_ns(int64_t ns)
{
    struct timespec left = timespec_of(ns);
    while (nanosleep(&left, &left) != 0)
        ;
}

static inline void sleep_until(int64_t monotonic_ns)
{
    struct timespec until = timespec_of(monotonic_ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        ;
}

// For functions with equal bodies that must stay apart.
#define DISTINCT __attribute__((noinline, no_icf))

// A few microseconds of arithmetic, so that reading the clock in between costs little.
static inline void burn(void)
{
    volatile uint64_t value = 1;
    for (int i = 0; i < 4000; i++)
        value = value * 2862933555777941757u + 3037000493u;
}

// The value that follows an option such as "--clock", or NULL.
static inline const char *option(char **argv, const char *name)
{
    for (; *argv; argv++)
        if (strcmp(*argv, name) == 0)
            return argv[1] ? argv[1] : "";
    return NULL;
}

static inline long number(char **argv, const char *name, long otherwise)
{
    const char *text = option(argv, name);
    return text ? atol(text) : otherwise;
}

static inline pthread_t start(void *(*run)(void *), void *argument, const char *name)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, argument);
    if (error) {
        fprintf(stderr, "pthread_create: %s\n", strerror(error));
        exit(1);
    }
    if (name)
        pthread_setname_np(thread, name);
    return thread;
}

static inline void ready(void)
{
    puts("ready");
    fflush(stdout);
}

// How long to work: so many ms, or, if the word is "told", until SIGUSR1 comes. Asked for before
// ready(). Returns the moment (CLOCK_MONOTONIC) that is_over() takes.
static volatile sig_atomic_t told;

static inline void on_told(int number)
{
    told = number;
}

static inline int64_t end_of(const char *word)
{
    if (strcmp(word, "told") != 0)
        return clock_ns(CLOCK_MONOTONIC) + atol(word) * MS;
    signal(SIGUSR1, on_told);
    return INT64_MAX;
}

static inline bool is_over(int64_t end)
{
    return told || clock_ns(CLOCK_MONOTONIC) >= end;
}

// The signals that tell a target something. Blocked before the first thread starts, so that every
// thread inherits it and only await_signal takes them.
static inline sigset_t told_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    return set;
}

static inline void block_signals(void)
{
    sigset_t set = told_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static inline int await_signal(void)
{
    sigset_t set = told_signals();
    int number = 0;
    while (sigwait(&set, &number) != 0)
        ;
    return number;
}

// Appends "CLOCK_REALTIME CLOCK_PROCESS_CPUTIME_ID" to the file every 20 ms: the truth that a
// test compares the cpu total of a profile with.
static inline void *log_clock(void *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (int64_t next = clock_ns(CLOCK_MONOTONIC);; next += 20 * MS) {
        sleep_until(next);
        int64_t before, cpu, after;
        do { // the two clocks of a line must be of one moment: again if preempted in between
            before = clock_ns(CLOCK_REALTIME);
            cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
            after = clock_ns(CLOCK_REALTIME);
        } while (after - before > 100 * US);
        dprintf(fd, "%lld %lld\n", (long long)((before + after) / 2), (long long)cpu);
    }
    return NULL;
}

static inline void start_clock_log(char **argv)
{
    const char *path = option(argv, "--clock");
    if (path)
        start(log_clock, (void *)path, "clock");
}
