// SPDX-License-Identifier: MIT
// A heap of which most was never touched: a block of 32 GB with a mapping of its own, one within
// the heap that brk gives, aligned ones, and small ones between them. Memory is overcommitted.
#include <malloc.h>

#include "target.h"

#define HUGE_BYTES (32ull << 30)
#define WITHIN (256ull << 20)

static size_t mapped_bytes(char *block)
{
    size_t *head = (size_t *)(void *)(block - 16);
    return head[0] + (head[1] & ~(size_t)7);
}

static char *get(size_t align, size_t size)
{
    void *block = NULL;
    if (posix_memalign(&block, align, size) != 0)
        die("posix_memalign");
    return block;
}

int main(void)
{
    char *blocks[5];
    size_t mapped = 0, small = 0;
    blocks[0] = malloc(HUGE_BYTES);
    if (!blocks[0])
        blocks[0] = malloc(HUGE_BYTES / 64); // where the kernel does not overcommit
    blocks[1] = get(64, 1 << 20);
    blocks[2] = get(4096, 1 << 20);
    blocks[3] = get(32, 3 << 20);
    blocks[4] = malloc(1 << 20);
    for (int i = 0; i < 5; i++)
        mapped += mapped_bytes(blocks[i]);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    char *within = malloc(WITHIN);
    for (int i = 0; i < 1000; i++)
        small += malloc_usable_size(malloc(100)) + 8;
    printf("{\"mapped\": %zu, \"blocks\": 5, \"in_use\": %zu}\n", mapped,
           mapped + small + malloc_usable_size(within) + 8);
    ready();
    pause();
}
