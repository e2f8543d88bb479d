// SPDX-License-Identifier: MIT
#include "target/memory.h"

#include <sys/uio.h>

size_t memory_read_some(pid_t pid, uint64_t address, void *to, size_t length)
{
    struct iovec here = {to, length};
    struct iovec there = {(void *)(uintptr_t)address, length};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    return got > 0 ? (size_t)got : 0;
}

bool memory_read(pid_t pid, uint64_t address, void *to, size_t length)
{
    return memory_read_some(pid, address, to, length) == length;
}
