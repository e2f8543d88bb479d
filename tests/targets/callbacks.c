// SPDX-License-Identifier: MIT
// Is called back by a C library: for one that has no unwind tables, as musl.
#include <search.h>

#include "target.h"

DISTINCT static int compare(const void *left, const void *right)
{
    burn();
    return *(const int *)left - *(const int *)right;
}

DISTINCT static void sort(void)
{
    int values[64];
    for (int i = 0; i < 64; i++)
        values[i] = i * 37 % 64;
    qsort(values, 64, sizeof *values, compare);
    __asm__ volatile("");
}

static void *task(void *argument)
{
    for (;;)
        sort();
    return argument;
}

int main(void)
{
    pthread_t thread = start(task, NULL, "task");
    ready();
    pthread_join(thread, NULL);
}
