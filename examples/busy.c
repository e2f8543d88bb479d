// SPDX-License-Identifier: MIT
// A program to try ptprof on. Two threads answer made-up requests, and each function below gets a
// known share of the CPU time:
//
//   serve_request
//     read_message -> parse                  50 %
//     answer       -> hash_table_lookup      30 %
//                  -> seal -> checksum       20 %
//
// busy [SECONDS]: runs for so long, or until it is killed.
#include <pthread.h>
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

// Repeats the work until its share of the CPU time is used up. What one call takes too much is
// taken from the next one, so the shares stay exact.
NOINLINE static void spend(void (*work)(void), int percent, int64_t *credit)
{
    int64_t begin = thread_cpu();
    *credit += percent * NS_PER_PERCENT;
    while (thread_cpu() - begin < *credit)
        work();
    *credit -= thread_cpu() - begin;
}

struct credits {
    int64_t parse, lookup, checksum; // ns of CPU time
};

NOINLINE static void read_message(struct credits *credits)
{
    spend(parse, 50, &credits->parse);
}

NOINLINE static void seal(struct credits *credits)
{
    spend(checksum, 20, &credits->checksum);
}

NOINLINE static void answer(struct credits *credits)
{
    spend(hash_table_lookup, 30, &credits->lookup);
    seal(credits);
}

NOINLINE static void serve_request(struct credits *credits)
{
    read_message(credits);
    answer(credits);
}

static void *worker(void *name)
{
    struct credits credits = {0};
    pthread_setname_np(pthread_self(), name);
    for (;;)
        serve_request(&credits);
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

int main(int argc, char **argv)
{
    fill_table();
    start("worker-1");
    start("worker-2");
    printf("busy runs as process %d with the threads worker-1 and worker-2.\n"
           "CPU time of each: parse 50 %%, hash_table_lookup 30 %%, checksum 20 %%.\n"
           "See it with:  ptprof attach %d -d 5s -f text\n",
           (int)getpid(), (int)getpid());
    fflush(stdout);
    if (argc > 1)
        sleep((unsigned)atoi(argv[1]));
    else
        pause();
    return 0;
}
