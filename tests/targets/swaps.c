// SPDX-License-Identifier: MIT
// swaps dlopen|dlmopen|mmap ONE TWO: loads a library, works in it for some 20 ms, takes it away and
// loads the other one, which comes to lie at the same address, where it works three times as long.
// At its end it prints the share of its CPU time that it spent in the first one.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "target.h"

#define ROUNDS 8000000u

static char **arguments;
static int64_t spent[2]; // ns
static uint64_t place;   // where the code that works begins

static void run(void (*work)(unsigned), int which)
{
    int64_t began = thread_cpu();
    if (place && place != (uint64_t)(uintptr_t)work)
        fprintf(stderr, "it lies elsewhere\n");
    place = (uint64_t)(uintptr_t)work;
    work(which ? 3 * ROUNDS : ROUNDS);
    __atomic_fetch_add(&spent[which], thread_cpu() - began, __ATOMIC_RELAXED);
}

static void by_loader(const char *path, int which)
{
    bool apart = strcmp(arguments[1], "dlmopen") == 0;
    void *library = apart ? dlmopen(LM_ID_NEWLM, path, RTLD_NOW) : dlopen(path, RTLD_NOW);
    if (!library)
        die(dlerror());
    run((void (*)(unsigned))dlsym(library, "swap_work"), which);
    dlclose(library);
}

// Where the function lies in the file: it is loaded for once to see that.
static uint64_t offset_in_file(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    if (!library)
        die(dlerror());
    struct link_map *map = library;
    uint64_t offset = (uint64_t)(uintptr_t)dlsym(library, "swap_work") - map->l_addr;
    dlclose(library);
    return offset;
}

static void by_hand(const char *path, int which)
{
    static char *home;
    struct stat info;
    uint64_t offset = offset_in_file(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        die(path);
    size_t size = (size_t)info.st_size;
    if (!home)
        home = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *text = mmap(home, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
    close(fd);
    run((void (*)(unsigned))(void *)(text + offset), which);
}

static void *swap(void *unused)
{
    bool hand = strcmp(arguments[1], "mmap") == 0;
    for (int i = 0;; i++)
        (hand ? by_hand : by_loader)(arguments[2 + i % 2], i % 2);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    arguments = argv;
    block_signals();
    start(swap, NULL, "swap");
    ready();
    await_signal();
    int64_t one = __atomic_load_n(&spent[0], __ATOMIC_RELAXED);
    int64_t two = __atomic_load_n(&spent[1], __ATOMIC_RELAXED);
    printf("{\"first\": %.6f}\n", (double)one / (double)(one + two));
    return 0;
}
