// SPDX-License-Identifier: MIT
// Keeps the 4,000 blocks that it allocates in keep(), and not the 8,000 of drop(); burns 300 ms of
// CPU time in heavy() and 100 in light(), and ends. For profilers that are loaded into a program.
#include "target.h"

#define BLOCKS 12000

static void *kept[BLOCKS];

DISTINCT static void *keep(size_t size)
{
    void *block = malloc(size);
    memset(block, 1, size);
    return block;
}

DISTINCT static void *drop(size_t size)
{
    void *block = malloc(size);
    memset(block, 2, size);
    return block;
}

DISTINCT static void heavy(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

DISTINCT static void light(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

int main(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        kept[i] = i % 3 ? drop(100 + i % 1000) : keep(1000 + i % 1000);
        if (i % 3)
            free(kept[i]);
    }
    heavy(thread_cpu() + 300 * MS);
    light(thread_cpu() + 100 * MS);
    return 0;
}
