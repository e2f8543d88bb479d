// SPDX-License-Identifier: MIT
#include "sample/kin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/roster.h"
#include "target/procfs.h"

static uint64_t tick_ns(void)
{
    return (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK));
}

// Of the thread, not of the process: for that the kernel would add up all threads.
void kin_read(struct watched *process)
{
    char path[64], text[1024];
    struct proc_stat stat;
    snprintf(path, sizeof path, "%d/stat", process->pid);
    AUTO_FD int fd = openat(process->task_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return;
    text[got] = '\0';
    if (!proc_stat_parse(text, &stat))
        return;
    memcpy(process->comm, stat.comm, sizeof process->comm); // of a zombie too
    process->kin.parent = stat.parent;
    process->kin.children_ns = stat.children_ticks * tick_ns();
}

void kin_begin(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        if (process->kin.known)
            continue;
        kin_read(process);
        process->kin.known = true;
        process->kin.base_ns = process->born_watched ? 0 : process->kin.children_ns;
    }
}

static bool has_ended(const struct watched *process)
{
    return process->gone || watched_has_ended(process);
}

// What was met of them was waited for in the end, even if nobody could read that any more.
static uint64_t children_of_ended(const struct kin *kin)
{
    uint64_t known_ns = kin->base_ns + kin->met_ns;
    return kin->children_ns > known_ns ? kin->children_ns : known_ns;
}

static void settle(struct roster *roster, struct watched *process)
{
    struct kin *kin = &process->kin;
    kin_read(process);
    watched_cpu(process, &process->last_cpu); // as it is if nothing can be read any more
    kin->settled = true;
    for (size_t i = 0; i < roster->count; i++)
        if (roster->processes[i]->pid == kin->parent)
            roster->processes[i]->kin.met_ns += process->last_cpu + children_of_ended(kin);
}

// Children come behind their parents in the roster, and go first here.
void kin_settle(struct roster *roster)
{
    for (size_t i = roster->count; i-- > 0;)
        if (!roster->processes[i]->kin.settled && has_ended(roster->processes[i]))
            settle(roster, roster->processes[i]);
}

void kin_rebase(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        uint64_t before = process->kin.children_ns;
        process->kin.settled |= has_ended(process);
        kin_read(process);
        process->kin.base_ns += process->kin.children_ns - before;
    }
}

uint64_t kin_unmet(const struct watched *process)
{
    const struct kin *kin = &process->kin;
    uint64_t known_ns = kin->base_ns + kin->met_ns;
    return kin->known && kin->children_ns > known_ns + 2 * tick_ns() ? kin->children_ns - known_ns
                                                                     : 0;
}
