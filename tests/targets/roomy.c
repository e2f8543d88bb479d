// SPDX-License-Identifier: MIT
// roomy MIB: has so much memory, and computes.
#include "target.h"

#include <sys/mman.h>

int main(int argc, char **argv)
{
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) << 20;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    memset(memory, 1, bytes);
    ready();
    for (;;)
        burn();
}
