// SPDX-License-Identifier: MIT
// moved anonymous|shared|memfd|middle|changed: puts a copy of its own machine code in that code's
// place, as servers do that want huge pages for it, and works there. middle: all but the first and
// the last page. changed: the copy is not quite one.
#include <sys/mman.h>

#include "target.h"

#define PAGE 4096u

DISTINCT void never_called(void);
DISTINCT void never_called(void)
{
    __asm__ volatile(".skip 12288, 0x90"); // so that there is a middle
}

DISTINCT void works_in_the_copy(void);
DISTINCT void works_in_the_copy(void)
{
    burn();
    __asm__ volatile("");
}

static int memory_for(const char *how, size_t size)
{
    if (strcmp(how, "memfd") != 0)
        return -1;
    int fd = memfd_create("text", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        die("memfd");
    return fd;
}

static void move(const char *how, char *start, size_t size)
{
    int fd = memory_for(how, size);
    int flags = strcmp(how, "shared") == 0 || fd >= 0 ? MAP_SHARED : MAP_PRIVATE;
    flags |= fd < 0 ? MAP_ANONYMOUS : 0;
    char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (copy == MAP_FAILED)
        die("mmap");
    memcpy(copy, start, size);
    if (strcmp(how, "changed") == 0)
        copy[(char *)(uintptr_t)never_called - start + 100] = 0x55;
    if (mprotect(copy, size, PROT_READ | PROT_EXEC) != 0 ||
        mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start) == MAP_FAILED)
        die("mremap");
}

static void move_text(const char *how)
{
    unsigned long start, end, here = (unsigned long)(uintptr_t)move_text;
    char line[512], mode[8];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 || here < start || here >= end)
            continue;
        unsigned long edge = strcmp(how, "middle") == 0 ? PAGE : 0;
        move(how, (char *)start + edge, end - start - 2 * edge);
        break;
    }
    if (maps)
        fclose(maps);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    move_text(argv[1]);
    ready();
    for (;;)
        works_in_the_copy();
}
