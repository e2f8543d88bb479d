// SPDX-License-Identifier: MIT
// odd_brk blocked|foreign: the heap of the main arena in several pieces, since something lies
// behind the first one, or because another one moved brk too.
#include <malloc.h>
#include <sys/mman.h>

#include "target.h"

#define BLOCKS 50000
#define SIZE 200

static void allocate(int count)
{
    for (int i = 0; i < count; i++)
        memset(malloc(SIZE), 0xee, SIZE);
}

static void block_brk(void)
{
    char *end = (char *)(((uintptr_t)sbrk(0) + 4095) & ~4095ul);
    if (mmap(end, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != end)
        die("mmap");
}

int main(int argc, char **argv)
{
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    allocate(BLOCKS / 2);
    if (argc > 1 && strcmp(argv[1], "blocked") == 0)
        block_brk();
    else
        memset(sbrk(100000), 0xdd, 100000);
    allocate(BLOCKS / 4);
    char *large = malloc(300000); // lies among the pieces
    memset(large, 0xdd, 300000);
    allocate(BLOCKS / 4);
    printf("{\"blocks\": %d, \"usable\": %zu}\n", BLOCKS, malloc_usable_size(malloc(SIZE)));
    ready();
    pause();
}
