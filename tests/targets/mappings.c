// SPDX-License-Identifier: MIT
// mappings [--grow MIB] [--many N] [--leader-ends]: has memory of each kind, of known sizes, and
// prints them as JSON before "ready". Sizes are bytes. --grow: so much more anonymous memory every
// 100 ms, up to a hundred times. --many: so many more mappings of two pages, each above a guard.
// --leader-ends: the first thread ends, the others stay.
#include "target.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#define KIB 1024ul
#define MIB (1024 * KIB)
#define STACK_TOUCHED (512 * KIB)

static void *map(size_t bytes, int protection, int flags, int fd)
{
    void *memory = mmap(NULL, bytes, protection, flags, fd, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

static char *anonymous(size_t bytes, int protection)
{
    return map(bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

// A mapping that no neighbour joins: between two that may not be touched.
static char *alone(size_t bytes, int protection)
{
    char *memory = anonymous(bytes + 2 * MIB, PROT_NONE);
    if (mprotect(memory + MIB, bytes, protection) != 0)
        die("mprotect");
    return memory + MIB;
}

static void say(const char *name, const void *start, size_t size, size_t touched)
{
    printf("{\"name\": \"%s\", \"start\": %lu, \"size\": %zu, \"touched\": %zu}\n", name,
           (unsigned long)start, size, touched);
}

static void make(const char *name, size_t size, size_t touched, int protection)
{
    char *memory = alone(size, protection);
    memset(memory, 1, touched);
    say(name, memory, size, touched);
}

static void make_shared(const char *name, size_t size, size_t touched, int fd)
{
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
        die("ftruncate");
    int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    char *memory = map(size, PROT_READ | PROT_WRITE, flags, fd);
    memset(memory, 1, touched);
    say(name, memory, size, touched);
}

static void make_locked(void)
{
    char *memory = alone(64 * KIB, PROT_READ | PROT_WRITE);
    bool locked = mlock(memory, 64 * KIB) == 0;
    say(locked ? "locked" : "not_locked", memory, 64 * KIB, locked ? 64 * KIB : 0);
}

// Where the kernel gives them unasked, more would be resident than was touched.
static void allow_huge_pages(bool allowed)
{
    prctl(PR_SET_THP_DISABLE, !allowed, 0, 0, 0);
}

static void make_huge(void)
{
    char *memory = alone(8 * MIB, PROT_READ | PROT_WRITE);
    char *aligned = (char *)(((uintptr_t)memory + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    madvise(memory, 8 * MIB, MADV_HUGEPAGE);
    allow_huge_pages(true);
    memset(aligned, 1, 4 * MIB);
    allow_huge_pages(false);
    say("huge", memory, 8 * MIB, 4 * MIB);
}

// Pages that were only read are the kernel's zeros, of which nothing is resident.
static void make_read_only(void)
{
    volatile char *memory = alone(256 * KIB, PROT_READ | PROT_WRITE);
    for (size_t at = 0; at < 256 * KIB; at += 4 * KIB)
        (void)memory[at];
    say("only_read", (void *)memory, 256 * KIB, 0);
}

static void make_file(void)
{
    char path[] = "/var/tmp/ptprof mappings \n\033[31m-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        die("mkstemp");
    unlink(path);
    make_shared("file", 128 * KIB, 128 * KIB, fd);
    close(fd);
}

static void *thread(void *argument)
{
    volatile char room[STACK_TOUCHED];
    for (size_t at = 0; at < sizeof room; at += 4 * KIB)
        room[at] = 1;
    while (argument) // it computes, so that nobody can tell its stack pointer
        burn();
    pause();
    return NULL;
}

static void start_with_stack(size_t size, void *computes)
{
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, size);
    if (pthread_create(&id, &attributes, thread, computes) != 0)
        die("pthread_create");
}

static void start_threads(void)
{
    for (int i = 0; i < 3; i++)
        start_with_stack(2 * MIB, NULL);
    start_with_stack(2 * MIB, (void *)1);
    printf("{\"name\": \"stacks\", \"start\": 0, \"size\": %lu, \"touched\": %lu}\n", 4 * 2 * MIB,
           4 * STACK_TOUCHED);
}

static void make_many(long count)
{
    for (; count > 0; count--) {
        char *memory = anonymous(3 * 4 * KIB, PROT_READ | PROT_WRITE);
        memset(memory, 1, 3 * 4 * KIB);
        if (mprotect(memory, 4 * KIB, PROT_NONE) != 0)
            die("mprotect");
    }
}

static void *grow(void *step)
{
    for (int i = 0; i < 100; i++) {
        sleep_ns(100 * MS);
        memset(anonymous((size_t)step, PROT_READ | PROT_WRITE), 1, (size_t)step);
    }
    pause();
    return NULL;
}

int main(int argc, char **argv)
{
    bool leader_ends = argc > 1 && strcmp(argv[1], "--leader-ends") == 0;
    size_t step = (size_t)number(argv, "--grow", 0) * MIB;
    allow_huge_pages(false);
    make("anonymous", 4 * MIB, 3 * MIB, PROT_READ | PROT_WRITE);
    make("untouched", 16 * MIB, 0, PROT_READ | PROT_WRITE);
    make("code", 256 * KIB, 128 * KIB, PROT_READ | PROT_WRITE | PROT_EXEC);
    make_shared("shared", 1 * MIB, 512 * KIB, -1);
    make_shared("memfd", 2 * MIB, 1 * MIB, memfd_create("ptprof \n\033[31m<b>", MFD_CLOEXEC));
    make_locked();
    make_huge();
    make_read_only();
    make_file();
    start_threads();
    make_many(number(argv, "--many", 0));
    if (step)
        start(grow, (void *)step, "grow");
    ready();
    if (leader_ends)
        pthread_exit(NULL);
    pause();
}
