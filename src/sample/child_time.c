// SPDX-License-Identifier: MIT
#include "sample/child_time.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"
#include "sample/roster.h"
#include "sample/task_file.h"

static uint64_t tick_ns(void)
{
    return (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK));
}

// The file is that of the thread: for that of the process the kernel would add up all threads.
void child_time_read(struct watched *process)
{
    char text[1024];
    struct proc_stat stat;
    AUTO_FD int fd = task_file_open(process->task_fd, process->pid, "stat");
    if (!task_file_read(fd, text, sizeof text) || !proc_stat_parse(text, &stat))
        return;
    memcpy(process->comm, stat.comm, sizeof process->comm); // of a zombie too
    process->children.parent = stat.parent;
    process->children.ended_ns = stat.children_ticks * tick_ns();
}

void child_time_begin(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        if (process->children.known)
            continue;
        child_time_read(process);
        process->children.known = true;
        process->children.base_ns = process->born_watched ? 0 : process->children.ended_ns;
    }
}

static bool has_ended(const struct watched *process)
{
    return process->gone || watched_has_ended(process);
}

// Children that were watched were waited for in the end, even if nobody could read that any more.
static uint64_t children_of_ended(const struct child_time *children)
{
    uint64_t known_ns = children->base_ns + children->watched_ns;
    return children->ended_ns > known_ns ? children->ended_ns : known_ns;
}

static void account(struct roster *roster, struct watched *process)
{
    struct child_time *children = &process->children;
    child_time_read(process);
    watched_cpu(process, &process->cpu.last); // as it is if nothing can be read any more
    children->accounted = true;
    for (size_t i = 0; i < roster->count; i++)
        if (roster->processes[i]->pid == children->parent)
            roster->processes[i]->children.watched_ns += process->cpu.last +
                                                         children_of_ended(children);
}

// Children come behind their parents in the roster, and go first here.
void child_time_account(struct roster *roster)
{
    for (size_t i = roster->count; i-- > 0;)
        if (!roster->processes[i]->children.accounted && has_ended(roster->processes[i]))
            account(roster, roster->processes[i]);
}

void child_time_rebase(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        uint64_t before = process->children.ended_ns;
        process->children.accounted |= has_ended(process);
        child_time_read(process);
        process->children.base_ns += process->children.ended_ns - before;
    }
}

uint64_t child_time_unwatched(const struct watched *process)
{
    const struct child_time *children = &process->children;
    uint64_t known_ns = children->base_ns + children->watched_ns;
    bool tells = children->known && children->ended_ns > known_ns + 2 * tick_ns();
    return tells ? children->ended_ns - known_ns : 0;
}
