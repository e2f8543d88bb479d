// SPDX-License-Identifier: MIT
// What `swaps` loads, built twice with other names for the functions and the same code. It needs no
// relocation, so that it also works where somebody mapped its text by himself.
#include <stdint.h>

static __attribute__((noinline, no_icf)) void WORKER(unsigned rounds)
{
    volatile uint64_t value = 1;
    for (unsigned i = 0; i < rounds; i++)
        value = value * 2862933555777941757u + 3037000493u;
}

void swap_work(unsigned rounds);
void swap_work(unsigned rounds)
{
    WORKER(rounds);
    __asm__ volatile(""); // no tail call
}
