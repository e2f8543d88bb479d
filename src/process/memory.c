// SPDX-License-Identifier: MIT
#include "process/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/patience.h"

#define READ_MS 500
#define PAGES_MAX 64 // pages whose presence is asked for in one call
#define PRESENT (1ull << 63)

size_t memory_read_now(pid_t pid, uint64_t address, void *to, size_t length)
{
    struct iovec here = {to, length};
    struct iovec there = {(void *)(uintptr_t)address, length};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    return got > 0 ? (size_t)got : 0;
}

size_t memory_read_words(pid_t pid, const uint64_t *addresses, uint32_t *words, size_t count)
{
    struct iovec here = {words, count * sizeof *words}, there[MEMORY_WORDS];
    for (size_t i = 0; i < count; i++)
        there[i] = (struct iovec){(void *)(uintptr_t)addresses[i], sizeof *words};
    ssize_t got = process_vm_readv(pid, &here, 1, there, count, 0);
    return got > 0 ? (size_t)got / sizeof *words : 0;
}

void memory_await(pid_t pid)
{
    char byte;
    memory_read_now(pid, 0, &byte, sizeof byte);
}

// A page that is not present may have to come from a file system that does not answer, or from a
// process that fills it in when it likes (userfaultfd).
bool memory_is_there(pid_t pid, uint64_t address, size_t length)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t entries[PAGES_MAX], first = address / page;
    uint64_t count = (address + length - 1) / page - first + 1;
    char path[48];
    if (!length || count > PAGES_MAX)
        return !length;
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = (ssize_t)(count * sizeof *entries);
    off_t from = (off_t)(first * sizeof *entries);
    bool there = fd >= 0 && pread(fd, entries, (size_t)size, from) == size;
    for (uint64_t i = 0; i < count && there; i++)
        there = entries[i] & PRESENT;
    return there;
}

struct reading { // it owns all that it uses
    pid_t pid;
    uint64_t address;
    size_t length, got;
    unsigned char bytes[];
};

static void read_it(void *context)
{
    struct reading *reading = context;
    reading->got =
        memory_read_now(reading->pid, reading->address, reading->bytes, reading->length);
}

static size_t read_patiently(pid_t pid, uint64_t address, void *to, size_t length)
{
    struct reading *reading = xmalloc(sizeof *reading + length);
    *reading = (struct reading){.pid = pid, .address = address, .length = length};
    if (!patience_call(read_it, free, reading, READ_MS))
        return 0;
    size_t got = reading->got;
    memcpy(to, reading->bytes, got);
    free(reading);
    return got;
}

size_t memory_read_some(pid_t pid, uint64_t address, void *to, size_t length)
{
    return memory_is_there(pid, address, length)
               ? memory_read_now(pid, address, to, length)
               : read_patiently(pid, address, to, length);
}

bool memory_read(pid_t pid, uint64_t address, void *to, size_t length)
{
    return memory_read_some(pid, address, to, length) == length;
}
