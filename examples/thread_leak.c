// SPDX-License-Identifier: MIT
// A program that leaks threads. Ten made-up requests a second each start a thread that asks a
// backend, and gives up after 100 ms; one in two of these threads waits on for an answer that
// never comes, since nobody tells it that the request is over.
//
// thread_leak [SECONDS]: runs for so long, or until SIGTERM or Ctrl-C, and then says how many
// threads it lost.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, optimize("no-optimize-sibling-calls")))
#define MS 1000000 // ns
#define STACK (64 << 10)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER; // nobody signals it
static atomic_ulong lost;

NOINLINE static void wait_for_answer(void)
{
    lost++;
    pthread_mutex_lock(&lock);
    for (;;)
        pthread_cond_wait(&answered, &lock);
}

static void *ask_backend(void *number)
{
    const struct timespec usual = {.tv_nsec = 20 * MS};
    nanosleep(&usual, NULL);
    if ((uintptr_t)number % 2)
        wait_for_answer();
    return NULL;
}

NOINLINE static void start_backend_thread(uintptr_t number)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, ask_backend, (void *)number) == 0)
        pthread_setname_np(thread, "backend");
    pthread_attr_destroy(&attributes);
}

NOINLINE static void handle_request(uintptr_t number)
{
    const struct timespec patience = {.tv_nsec = 100 * MS};
    start_backend_thread(number);
    nanosleep(&patience, NULL); // the answer, or none
}

static void *serve(void *unused)
{
    for (uintptr_t number = 1;; number++)
        handle_request(number);
    return unused;
}

int main(int argc, char **argv)
{
    const struct timespec left = {.tv_sec = argc > 1 ? atoi(argv[1]) : 0};
    pthread_t thread;
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (pthread_create(&thread, NULL, serve, NULL) != 0)
        return 1;
    pthread_setname_np(thread, "server");
    printf("thread_leak runs as process %d.\n", (int)getpid());
    fflush(stdout);
    sigtimedwait(&end, NULL, argc > 1 ? &left : NULL);
    printf("threads lost: %lu\n", lost);
    return 0;
}
