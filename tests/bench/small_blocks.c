// SPDX-License-Identifier: MIT
// small_blocks MIB SIZE: a heap of so many MiB of blocks of one size: a list, each of which points
// to the one before and counts. Prints "ready" and waits. What a census of many blocks costs is
// measured on it.
#include "target.h"

int main(int argc, char **argv)
{
    size_t size = argc > 2 ? (size_t)atol(argv[2]) : 64;
    long count = (argc > 1 ? atol(argv[1]) : 64) * (1 << 20) / (long)((size + 8 + 15) / 16 * 16);
    long *before = NULL;
    for (long i = 0; i < count; i++) {
        long *block = calloc(1, size);
        if (!block)
            die("calloc");
        block[0] = (long)before;
        block[1] = i;
        before = block;
    }
    ready();
    pause();
}
