// SPDX-License-Identifier: MIT
// Which program the process runs: one that executes another becomes that in the middle of a dump.
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dump/dumper_child.h"

bool dumper_has_ended(const struct dumper *dumper)
{
    struct pollfd fd = {.fd = dumper->pidfd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

char *dumper_exe(const struct dumper *dumper)
{
    char path[64], target[4096];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)dumper->pid);
    ssize_t got = readlink(path, target, sizeof target);
    return got > 0 ? xstrndup(target, (size_t)got) : NULL;
}

static void open_maps(void *context, pid_t tid)
{
    struct dumper *dumper = context;
    char path[64], byte;
    if (dumper->maps_fd >= 0)
        return;
    snprintf(path, sizeof path, "/proc/%d/task/%d/maps", (int)dumper->pid, (int)tid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && pread(fd, &byte, 1, 0) == 1)
        dumper->maps_fd = steal_fd(&fd);
}

void dumper_note_image(struct dumper *dumper)
{
    char path[64];
    cleanup_fd(&dumper->maps_fd);
    dumper->maps_fd = -1;
    open_maps(dumper, dumper->pid);
    if (procfs_comm(dumper->pid, dumper->pid, dumper->comm) != RC_OK)
        return; // it is gone, as will turn out
    snprintf(path, sizeof path, "/proc/%d/task", (int)dumper->pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // The maps of a leader that has ended are empty: any thread of it has them.
    if (dumper->maps_fd < 0 && fd >= 0 && procfs_each_number(fd, open_maps, dumper) != RC_OK)
        return; // it is gone, as will turn out
}

bool dumper_has_executed(const struct dumper *dumper)
{
    char byte;
    return dumper->maps_fd >= 0 && pread(dumper->maps_fd, &byte, 1, 0) != 1 &&
           !dumper_has_ended(dumper);
}

void dumper_forget_other_program(struct dumper *dumper)
{
    uint32_t index = map_get(&dumper->index, (uint64_t)dumper->pid, 0);
    struct dump_thread *thread = index ? &dumper->seen[index - 1].thread : NULL;
    if (!dumper->ended || !thread || strcmp(thread->comm, dumper->comm) == 0)
        return;
    thread->frame_count = 0;
    thread->problem = DUMP_UNREAD;
    memcpy(thread->comm, dumper->comm, sizeof thread->comm);
}
