// SPDX-License-Identifier: MIT
// Never the same stack twice: at each of a hundred levels it calls one of two functions by chance.
#include "target.h"

#define DEPTH 100

static uint64_t random_state = 88172645463325252ull;

static int toss(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)(random_state >> 40 & 1);
}

DISTINCT void left(int level);
DISTINCT void right(int level);

static void step(int level)
{
    if (!level)
        burn();
    else if (toss())
        left(level - 1);
    else
        right(level - 1);
}

void left(int level)
{
    step(level);
    __asm__ volatile(""); // no tail call
}

void right(int level)
{
    step(level);
    __asm__ volatile("nop");
}

int main(void)
{
    ready();
    for (;;)
        step(DEPTH);
}
