// SPDX-License-Identifier: MIT
#include "serve/own_use.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"

#define DEEPEST 8

// CPU time includes that of children that have ended and been waited for.
static void add_process(struct own_use *use, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    unsigned long long ticks[4];
    long resident;
    if (procfs_read(&text, "/proc/%d/stat", (int)pid) != RC_OK || !text.length)
        return;
    const char *at = strrchr(text.data, ')');
    if (!at || sscanf(at + 1,
                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d "
                      "%*d %*d %*u %*u %ld",
                      &ticks[0], &ticks[1], &ticks[2], &ticks[3], &resident) != 5)
        return;
    uint64_t all = ticks[0] + ticks[1] + ticks[2] + ticks[3];
    use->cpu_ns += all * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
    use->rss_bytes += (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
    use->processes++;
}

struct own_family {
    struct own_use *use;
    pid_t pid;
    int depth;
};

static void add_family(struct own_use *use, pid_t pid, int depth);

// Each thread has children of its own.
static void add_children(void *context, pid_t tid)
{
    const struct own_family *family = context;
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "/proc/%d/task/%d/children", (int)family->pid, (int)tid) != RC_OK ||
        !text.length)
        return;
    char *at = text.data, *end;
    for (long pid; (pid = strtol(at, &end, 10)) > 0 && end != at; at = end)
        add_family(family->use, (pid_t)pid, family->depth + 1);
}

static void add_family(struct own_use *use, pid_t pid, int depth)
{
    char path[48];
    struct own_family family = {use, pid, depth};
    add_process(use, pid);
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    AUTO_FD int fd = depth < DEEPEST ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    enum rc ignored = fd < 0 ? RC_GONE : procfs_each_number(fd, add_children, &family);
    (void)ignored; // who ended meanwhile has none
}

struct own_use own_use_read(void)
{
    static uint64_t highest;
    struct own_use use = {0};
    add_family(&use, getpid(), 0);
    highest = use.cpu_ns > highest ? use.cpu_ns : highest;
    use.cpu_ns = highest; // what a process used that nobody waited for is not lost
    return use;
}
