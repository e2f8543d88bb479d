// SPDX-License-Identifier: MIT
// Works in coroutines: made by makecontext, or with --bare by a switch of its own that has no
// unwind tables, and whose first function returns to nowhere.
#include <ucontext.h>

#include "target.h"

#define STACK_SIZE (64u << 10)
#define COROUTINES 3

static ucontext_t scheduler, coroutines[COROUTINES];
static void *scheduler_sp, *coroutine_sp;

DISTINCT static void work(int steps)
{
    for (int i = 0; i < steps; i++)
        burn();
    __asm__ volatile("");
}

DISTINCT static void step(int which)
{
    work(20 * (which + 1));
    __asm__ volatile("");
}

static void body(int which)
{
    for (;;) {
        step(which);
        swapcontext(&coroutines[which], &scheduler);
    }
}

void switch_to(void **save, void *to);
__asm__(".text\n.globl switch_to\n.type switch_to,@function\nswitch_to:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
        ".size switch_to,.-switch_to\n");

DISTINCT static _Noreturn void bare_body(void)
{
    for (;;) {
        step(0);
        switch_to(&coroutine_sp, scheduler_sp);
    }
}

static _Noreturn void run_bare(void)
{
    char *stack = malloc(STACK_SIZE);
    uint64_t *top = (void *)(stack + STACK_SIZE - 16 - (uintptr_t)stack % 16);
    *--top = 0; // where bare_body would return to
    *--top = (uint64_t)(uintptr_t)bare_body;
    for (unsigned i = 0; i < 6; i++)
        *--top = 0x5555 + i; // registers: nothing that makes sense
    coroutine_sp = top;
    ready();
    for (;;)
        switch_to(&scheduler_sp, coroutine_sp);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (option(argv, "--bare"))
        run_bare();
    for (int i = 0; i < COROUTINES; i++) {
        getcontext(&coroutines[i]);
        coroutines[i].uc_stack.ss_sp = malloc(STACK_SIZE);
        coroutines[i].uc_stack.ss_size = STACK_SIZE;
        coroutines[i].uc_link = &scheduler;
        makecontext(&coroutines[i], (void (*)(void))(uintptr_t)body, 1, i);
    }
    ready();
    for (int i = 0;; i = (i + 1) % COROUTINES)
        swapcontext(&scheduler, &coroutines[i]);
}
