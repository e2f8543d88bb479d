// SPDX-License-Identifier: MIT
// jit [--no-map]: makes code in anonymous memory and in a memfd, runs both in turn and tells their
// names as JIT compilers do. At SIGUSR1 the code in anonymous memory gets another name.
#include <sys/mman.h>

#include "target.h"

#define PAGE 4096

static FILE *names;

// push %rbp; mov %rsp,%rbp; mov $200000,%ecx; 1: dec %ecx; jnz 1b; pop %rbp; ret
static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xb9, 0x40, 0x0d, 0x03, 0x00,
                                     0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3};

static void name(void *at, const char *text)
{
    if (!names)
        return;
    fprintf(names, "%lx %zx %s\n", (unsigned long)at, sizeof code, text);
    fflush(names);
}

static void *make(int fd)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    if (fd >= 0 && ftruncate(fd, PAGE) != 0)
        die("ftruncate");
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, flags, fd, 0);
    if (at == MAP_FAILED)
        die("mmap");
    memcpy(at, code, sizeof code);
    return at;
}

static void *volatile places[2];

static void *run(void *nothing)
{
    for (unsigned i = 0;; i ^= 1) {
        ((void (*)(void))places[i])();
        __asm__ volatile(""); // no tail call
    }
    return nothing;
}

int main(int argc, char **argv)
{
    char path[64];
    (void)argc;
    snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
    if (!option(argv, "--no-map"))
        names = fopen(path, "w");
    block_signals();
    places[0] = make(-1);
    places[1] = make(memfd_create("jit-cache", MFD_CLOEXEC));
    name(places[0], "jit_anon; first");
    name(places[1], "jit_memfd");
    start(run, NULL, "jit");
    ready();
    if (await_signal() == SIGUSR1) {
        name(places[0], "jit_anon_second");
        await_signal();
    }
    if (names)
        unlink(path);
}
