// SPDX-License-Identifier: MIT
// Threads of which a dump cannot say everything, and must say something: "corrupt" has overwritten
// the stack that it returns through, "unmapped" waits on a futex of which the memory is gone,
// "nowhere" sleeps with a stack pointer into nothing, "framed" in a function with a frame pointer,
// "roomy" in one with a frame of no fixed size, "deep" has a stack of many frames, "vforking" waits
// for its child, and the main thread has ended. The thread "last" lives.
#include "target.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void *corrupt(void *unused)
{
    volatile uint64_t *stack;
    (void)unused;
    __asm__ volatile("mov %%rsp, %0" : "=r"(stack));
    for (int i = 0; i < 16; i++)
        stack[i] = 0x4141414141414141u + (uint64_t)i;
    sleep_for_ever();
    return NULL;
}

static void *unmapped(void *page)
{
    syscall(SYS_futex, page, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    sleep_for_ever();
    return NULL;
}

static void *nowhere(void *unused)
{
    register long number __asm__("rax") = SYS_pause;
    __asm__ volatile("mov $64, %%esp\n1: syscall\nmov $34, %%eax\njmp 1b"
                     : "+r"(number) : : "rcx", "r11", "memory");
    return unused;
}

// Asking for the frame makes the compiler keep a frame pointer here.
static DISTINCT void *framed(void *unused)
{
    void *volatile frame = __builtin_frame_address(0);
    sleep_for_ever();
    return frame ? unused : NULL;
}

// Nothing but the frame pointer tells how much room the caller asked for.
static DISTINCT void *roomy(void *bytes)
{
    volatile char *room = __builtin_alloca((size_t)(intptr_t)bytes);
    room[0] = 1;
    sleep_for_ever();
    return room[0] ? bytes : NULL;
}

static DISTINCT void descend(int left)
{
    volatile char room[128];
    room[0] = (char)left;
    if (left)
        descend(left - 1);
    else
        sleep_for_ever();
    room[1] = room[0];
}

static void *deep(void *unused)
{
    descend(2000); // about 350 KiB
    return unused;
}

static void *vforking(void *unused)
{
    pid_t child = vfork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall(SYS_pause);
    }
    return unused;
}

static void *last(void *page)
{
    block_signals();
    sleep_ns(100 * MS); // the others sleep by now
    munmap(page, 4096);
    ready();
    await_signal();
    _exit(0);
    return NULL;
}

int main(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block_signals();
    start(corrupt, NULL, "corrupt");
    start(unmapped, page, "unmapped");
    start(nowhere, NULL, "nowhere");
    start(framed, NULL, "framed");
    start(roomy, (void *)(intptr_t)5000, "roomy");
    start(deep, NULL, "deep");
    start(vforking, NULL, "vforking");
    start(last, page, "last");
    pthread_exit(NULL);
}
