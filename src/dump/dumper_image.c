// SPDX-License-Identifier: MIT
// Notices when the process executes another program in the middle of a dump.
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dump/dumper_child.h"
#include "process/maps.h"

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

void dumper_note_image(struct dumper *dumper)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)dumper->pid);
    AUTO_FD int task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_fd(&dumper->maps_fd);
    dumper->maps_fd = maps_file_open(task_fd, dumper->pid, "maps");
    if (procfs_comm(dumper->pid, dumper->pid, dumper->comm) != RC_OK)
        dumper->comm[0] = '\0'; // it is gone, which will be noticed later
}

bool dumper_has_executed(const struct dumper *dumper)
{
    return dumper->maps_fd >= 0 && !maps_file_is_current(dumper->maps_fd) &&
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
