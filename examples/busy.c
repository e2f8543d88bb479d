// SPDX-License-Identifier: MIT
// A program to try ptprof on. Two threads answer made-up requests, and each function below gets a
// known share of the CPU time:
//
//   serve_request
//     read_message -> parse                  50 %
//     answer       -> hash_table_lookup      30 %
//                  -> seal -> checksum       20 %
//
// busy [SECONDS]: runs for so long, or until SIGTERM or Ctrl-C, and then says what share of its CPU
// time each function really had, measured by the clocks of its threads.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// So that every function below is a frame of its own.
#define NOINLINE __attribute__((noinline, optimize("no-optimize-sibling-calls")))
#define NS_PER_PERCENT 20000               // of a request, which takes 2 ms of CPU time
#define SLOTS 4096

static uint32_t slots[SLOTS]; // an open hash table of numbers, half full
static _Thread_local volatile uint32_t sink;

NOINLINE static void parse(void)
{
    static const char text[] = "name=busy&colour=green&number=12345&";
    uint32_t value = 0;
    for (int round = 0; round < 1000; round++)
        for (const char *at = text; *at; at++) {
            if (*at == '=' || *at == '&')
                value = 0;
            else if (*at >= '0' && *at <= '9')
                value = value * 10 + (uint32_t)(*at - '0');
            sink = value;
        }
}

NOINLINE static void hash_table_lookup(void)
{
    for (uint32_t key = 1; key < 4 * SLOTS; key++) {
        uint32_t slot = key * 2654435761u % SLOTS;
        while (slots[slot] && slots[slot] != key)
            slot = (slot + 1) % SLOTS;
        sink = slots[slot];
    }
}

NOINLINE static void checksum(void)
{
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        a = (a + (i & 255)) % 65521;
        b = (b + a) % 65521;
    }
    sink = b << 16 | a;
}

static int64_t thread_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct part {
    const char *name;
    void (*work)(void);
    int percent;
    _Atomic int64_t used; // ns of CPU time, by all threads
};

static struct part parts[] = {
    {"parse", parse, 50, 0},
    {"hash_table_lookup", hash_table_lookup, 30, 0},
    {"checksum", checksum, 20, 0},
};

#define PARTS (sizeof parts / sizeof *parts)

enum { PARSE, LOOKUP, CHECKSUM };

// Repeats the work until its share of the CPU time is used up. What one call takes too much is
// taken from the next one, so the shares stay exact.
NOINLINE static void spend(struct part *part, int64_t *credit)
{
    int64_t begin = thread_cpu(), used = 0;
    *credit += part->percent * NS_PER_PERCENT;
    while ((used = thread_cpu() - begin) < *credit)
        part->work();
    *credit -= used;
    part->used += used;
}

NOINLINE static void read_message(int64_t *credits)
{
    spend(&parts[PARSE], &credits[PARSE]);
}

NOINLINE static void seal(int64_t *credits)
{
    spend(&parts[CHECKSUM], &credits[CHECKSUM]);
}

NOINLINE static void answer(int64_t *credits)
{
    spend(&parts[LOOKUP], &credits[LOOKUP]);
    seal(credits);
}

NOINLINE static void serve_request(int64_t *credits)
{
    read_message(credits);
    answer(credits);
}

static void *worker(void *name)
{
    int64_t credits[PARTS] = {0}; // ns of CPU time that each part may still use
    pthread_setname_np(pthread_self(), name);
    for (;;)
        serve_request(credits);
    return NULL;
}

static void fill_table(void)
{
    for (uint32_t key = 1; key < SLOTS; key += 2) {
        uint32_t slot = key * 2654435761u % SLOTS;
        while (slots[slot])
            slot = (slot + 1) % SLOTS;
        slots[slot] = key;
    }
}

static void start(const char *name)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, (void *)name) != 0) {
        fprintf(stderr, "busy: cannot start a thread\n");
        exit(1);
    }
}

static void print_true_split(void)
{
    int64_t all = 0;
    for (size_t i = 0; i < PARTS; i++)
        all += parts[i].used;
    for (size_t i = 0; i < PARTS; i++)
        printf("true share of %s: %.1f %%\n", parts[i].name,
               100.0 * (double)parts[i].used / (double)all);
}

static sigset_t ending(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int main(int argc, char **argv)
{
    sigset_t end = ending();
    sigprocmask(SIG_BLOCK, &end, NULL);
    fill_table();
    start("worker-1");
    start("worker-2");
    printf("busy runs as process %d with the threads worker-1 and worker-2.\n"
           "CPU time of each: parse 50 %%, hash_table_lookup 30 %%, checksum 20 %%.\n"
           "See it with:  ptprof attach %d -d 5s -f text\n",
           (int)getpid(), (int)getpid());
    fflush(stdout);
    struct timespec left = {.tv_sec = argc > 1 ? atoi(argv[1]) : 0};
    sigtimedwait(&end, NULL, argc > 1 ? &left : NULL);
    print_true_split();
    return 0;
}
