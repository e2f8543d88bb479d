// SPDX-License-Identifier: MIT
// leaker COUNT: a process whose main thread allocates COUNT blocks of 200 bytes that begin with
// what nobody should print as it is, and a few others. At each SIGUSR1 it loses 1000 blocks of 488
// bytes and prints how many it has lost; at SIGUSR2 it executes itself anew.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOST 1000

static void *volatile last;

static void allocate(long count, size_t size, const char *text)
{
    for (long i = 0; i < count; i++) {
        char *block = calloc(1, size);
        if (!block)
            abort();
        strcpy(block, text);
        last = block;
    }
}

int main(int argc, char **argv)
{
    static char buffer[4096];
    long lost = 0;
    sigset_t set;
    int number;
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    allocate(argc > 1 ? atol(argv[1]) : 0, 200, "\x1b[31m<b>\"\\");
    for (size_t size = 1000; size < 1100; size += 16)
        allocate(1, size, "\x01");
    puts("ready");
    while (sigwait(&set, &number) == 0) {
        if (number == SIGUSR2)
            execv("/proc/self/exe", argv);
        allocate(LOST, 488, "\x01");
        printf("%ld\n", lost += LOST);
    }
    return 1;
}
