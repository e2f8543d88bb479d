// SPDX-License-Identifier: MIT
#include "sample/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "process/maps.h"
#include "sample/task_file.h"
#include "sample/thread.h"

void watched_free(struct watched *process)
{
    free(process->threads);
    cleanup_fd(&process->task_fd);
    cleanup_fd(&process->maps_fd);
    cleanup_fd(&process->pages_fd);
    cleanup_fd(&process->pid_fd);
    free(process);
}

int watched_open(const struct watched *process, pid_t tid, const char *name)
{
    int fd = task_file_open(process->task_fd, tid, name);
    if (fd < 0)
        limits_note(errno);
    return fd;
}

// A zombie still has a task directory, and files in it.
bool watched_has_ended(const struct watched *process)
{
    struct pollfd end = {.fd = process->pid_fd, .events = POLLIN};
    return process->pid_fd >= 0 && poll(&end, 1, 0) > 0;
}

bool watched_cpu(struct watched *process, uint64_t *cpu_ns)
{
    struct timespec time;
    if (clock_gettime(process->cpu_clock, &time) != 0)
        return false;
    *cpu_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    return true;
}

void watched_find_image(struct watched *process)
{
    process->maps_fd = maps_file_open(process->task_fd, process->pid, "maps");
    process->pages_fd = maps_file_open(process->task_fd, process->pid, "pagemap");
}

// The descriptors keep their numbers: samplers read them meanwhile.
bool watched_open_image(struct watched *process)
{
    AUTO_FD int maps = maps_file_open(process->task_fd, process->pid, "maps");
    AUTO_FD int pages = maps_file_open(process->task_fd, process->pid, "pagemap");
    if (pages >= 0 && process->pages_fd >= 0)
        dup3(pages, process->pages_fd, O_CLOEXEC);
    return maps >= 0 && dup3(maps, process->maps_fd, O_CLOEXEC) >= 0;
}

uint64_t watched_image(const struct watched *process)
{
    uint64_t number = 0;
    for (size_t i = 0; i < process->count && !number; i++)
        number = maps_image_number(process->pid, process->threads[i]->tid);
    return maps_file_is_current(process->maps_fd) ? number : 0; // else it is of the next one
}

bool watched_is_refused(const struct watched *process, const char *name)
{
    AUTO_FD int fd = watched_open(process, process->threads[0]->tid, name);
    return fd < 0 && errno == EACCES;
}

void watched_name(struct watched *process)
{
    char comm[COMM_MAX];
    if (procfs_comm(process->pid, process->pid, comm) == RC_OK)
        memcpy(process->comm, comm, sizeof comm);
}
