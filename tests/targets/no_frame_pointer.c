// SPDX-License-Identifier: MIT
// Code without frame pointers that keeps numbers in rbp while it spins: who follows rbp gets lost.
#include "target.h"

static volatile uint64_t sink;

static void inner(uint64_t seed)
{
    for (;;) {
        uint64_t value = seed;
        // rbp counts down; declared clobbered, so that the compiler saves it in our frame.
        __asm__ volatile("mov $100000, %%rbp\n"
                         "1: imul $13, %0, %0\n"
                         "dec %%rbp\n"
                         "jnz 1b"
                         : "+r"(value)
                         :
                         : "rbp", "cc");
        sink = value;
    }
}

static void middle(uint64_t seed)
{
    volatile char buffer[200]; // frames of different sizes
    buffer[seed % sizeof buffer] = 1;
    inner(seed + buffer[0]);
    sink = seed;
}

static void outer(uint64_t seed)
{
    middle(seed * 3);
    sink = seed;
}

int main(void)
{
    ready();
    outer(sink + 7);
}
