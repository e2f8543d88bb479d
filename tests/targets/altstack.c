// SPDX-License-Identifier: MIT
// Works in a signal handler on an alternate stack, and as long in the function that it interrupts.
#include "target.h"

DISTINCT void in_handler(void)
{
    for (int64_t end = thread_cpu() + 5 * MS; thread_cpu() < end;)
        burn();
    __asm__ volatile(""); // no tail call
}

static void on_signal(int number)
{
    (void)number;
    in_handler();
}

DISTINCT void interrupted(int pid)
{
    for (int64_t end = thread_cpu() + 5 * MS; thread_cpu() < end;)
        burn();
    kill(pid, SIGUSR2);
    __asm__ volatile(""); // no tail call
}

DISTINCT void calls(int pid, int depth)
{
    char room[200];
    memset(room, depth, sizeof room);
    if (depth)
        calls(pid, depth - 1);
    else
        interrupted(pid);
    __asm__ volatile("" : : "r"(room) : "memory"); // no tail call
}

int main(void)
{
    stack_t stack = {.ss_size = 64 << 10, .ss_sp = malloc(64 << 10)};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR2, &action, NULL);
    ready();
    for (;;)
        calls(getpid(), 20);
}
