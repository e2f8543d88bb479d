// SPDX-License-Identifier: MIT
// bare_heap PID: reads the memory that brk gave the process, a MiB at a time, and looks at nothing
// of it. What a census costs at least.
#include <inttypes.h>
#include <sys/uio.h>

#include "target.h"

#define PIECE (1u << 20)

int main(int argc, char **argv)
{
    static char line[4096], bytes[PIECE];
    uint64_t start = 0, end = 0;
    if (argc < 2)
        return 2;
    snprintf(line, sizeof line, "/proc/%s/maps", argv[1]);
    FILE *maps = fopen(line, "r");
    if (!maps)
        die(argv[1]);
    while (fgets(line, sizeof line, maps) && !strstr(line, "[heap]"))
        ;
    fclose(maps);
    if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
        return 1;
    for (; start < end; start += PIECE) {
        struct iovec here = {bytes, PIECE}, there = {(void *)(uintptr_t)start, PIECE};
        there.iov_len = end - start < PIECE ? end - start : PIECE;
        if (process_vm_readv(atoi(argv[1]), &here, 1, &there, 1, 0) < 0)
            die("process_vm_readv");
    }
    return 0;
}
