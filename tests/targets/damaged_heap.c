// SPDX-License-Identifier: MIT
// damaged_heap chunks|top|ring|arena|swap: a heap whose books were overwritten, or whose pages were
// swapped out; nothing is allocated or freed afterwards. Arenas are found as an arena's first heap
// names its own.
#include <malloc.h>
#include <sys/mman.h>

#include "target.h"

#define BLOCKS 3000 // of each of three threads
#define SIZE 1208
#define DAMAGED 5
#define TOP 0x60 // offsets in an arena
#define BINS 0x70
#define NEXT 0x870

static char *blocks[3][BLOCKS];
static pthread_barrier_t all;

static void *allocate(void *mine)
{
    char **list = mine;
    for (int i = 0; i < BLOCKS; i++) {
        list[i] = malloc(SIZE);
        memset(list[i], 0xee, SIZE);
    }
    pthread_barrier_wait(&all);
    for (;;)
        pause();
}

static uint64_t *word_at(char *address)
{
    return (uint64_t *)(void *)address;
}

// The arena of a thread stands at the beginning of its heap, which is 64 MiB aligned.
static char *arena_of(char *block)
{
    return *(char **)(void *)((uintptr_t)block & ~((64ul << 20) - 1));
}

// The main arena is the neighbour in the ring that lies in no heap.
static char *main_arena(void)
{
    char *arena = arena_of(blocks[1][0]), *found = arena;
    while (((uintptr_t)found & 0xffffff) < 0x100)
        found = *(char **)(void *)(found + NEXT);
    return found;
}

static void swap_out(void)
{
    for (int i = 0; i < 3; i++) {
        uintptr_t start = ((uintptr_t)blocks[i][0] | 4095) + 1;
        madvise((void *)start, ((uintptr_t)blocks[i][BLOCKS - 1] - start) & ~4095ul, MADV_PAGEOUT);
    }
}

static void damage(const char *how)
{
    char *arena = main_arena();
    if (strcmp(how, "swap") == 0) {
        swap_out();
        return;
    }
    if (strcmp(how, "chunks") == 0)
        for (int i = 0; i < DAMAGED; i++)
            *word_at(blocks[0][100 + i * 500] - 8) = 0x4141414141414141;
    else if (strcmp(how, "top") == 0)
        *word_at(arena + TOP) = 0x10;
    else if (strcmp(how, "ring") == 0)
        *word_at(arena_of(blocks[2][0]) + NEXT) = 0xdead000;
    else
        memset(arena + BINS, 0x41, 64);
}

int main(int argc, char **argv)
{
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    pthread_barrier_init(&all, NULL, 3);
    start(allocate, blocks[1], NULL);
    start(allocate, blocks[2], NULL);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[0][i] = malloc(SIZE);
        memset(blocks[0][i], 0xee, SIZE);
    }
    pthread_barrier_wait(&all);
    size_t usable = malloc_usable_size(blocks[0][0]);
    damage(argc > 1 ? argv[1] : "chunks");
    printf("{\"blocks\": %d, \"usable\": %zu, \"damaged\": %d}\n", 3 * BLOCKS, usable, DAMAGED);
    ready();
    for (;;)
        pause();
}
