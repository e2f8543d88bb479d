// SPDX-License-Identifier: MIT
#include "monitor/target_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "process/permission.h"
#include "symbol/syscall_name.h"

#define READ_SHARE 50     // reading takes at most the 50th part of the time
#define THREADS_MAX 32768 // of all processes
#define WAITS_MAX 512     // threads whose system call is read too
#define CLOCKS_MAX 256    // processes whose CPU clock is read

struct thread_listing {
    struct target_status *status;
    pid_t pid;
};

static void read_wait(struct thread_fact *fact)
{
    AUTO_BUF struct buf text = {0};
    struct proc_syscall call;
    if (fact->state != 'S' && fact->state != 'D')
        return;
    if (procfs_read(&text, "/proc/%d/task/%d/syscall", fact->pid, fact->tid) != RC_OK ||
        !proc_syscall_parse(text.data, &call) || call.number < 0)
        return;
    const char *name = syscall_name(call.number);
    if (name)
        snprintf(fact->wait, sizeof fact->wait, "in %s", name);
    else
        snprintf(fact->wait, sizeof fact->wait, "in system call %ld", call.number);
}

static void list_thread(void *context, pid_t tid)
{
    struct thread_listing *listing = context;
    struct target_status *status = listing->status;
    struct proc_stat stat;
    if (status->thread_count >= THREADS_MAX || procfs_stat(listing->pid, tid, &stat) != RC_OK)
        return;
    ARRAY_RESERVE(status->threads, status->thread_count, status->thread_capacity);
    struct thread_fact *fact = &status->threads[status->thread_count++];
    *fact = (struct thread_fact){.pid = listing->pid, .tid = tid, .state = stat.state};
    memcpy(fact->comm, stat.comm, sizeof fact->comm);
    if (status->thread_count <= WAITS_MAX)
        read_wait(fact);
}

static void list_threads(struct target_status *status, pid_t pid)
{
    char path[64];
    struct thread_listing listing = {status, pid};
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc ignored = fd < 0 ? RC_GONE : procfs_each_number(fd, list_thread, &listing);
    (void)ignored; // a process that ended meanwhile has no threads
}

static void read_command_line(struct target_status *status, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "/proc/%d/cmdline", pid) != RC_OK || !text.length)
        return;
    while (text.length && !text.data[text.length - 1])
        text.length--;
    for (size_t i = 0; i < text.length; i++)
        if (!text.data[i])
            text.data[i] = ' ';
    free(status->command_line);
    status->command_line = xstrdup(text.data);
}

static int64_t boot_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void describe(struct target_status *status, pid_t pid, const struct proc_stat *stat)
{
    int64_t tick = NS_PER_S / sysconf(_SC_CLK_TCK);
    read_command_line(status, pid);
    status->denied = permission_is_lost(pid);
    status->uptime = boot_clock() - (int64_t)stat->start_time * tick;
    status->stopped = stat->state == 'T';
}

static uint64_t resident_bytes(pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    unsigned long size, resident;
    if (procfs_read(&text, "/proc/%d/statm", pid) != RC_OK ||
        sscanf(text.data, "%lu %lu", &size, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void read_all(struct target_status *status, const struct run_process *processes,
                     size_t count)
{
    uint64_t rss = 0;
    status->thread_count = status->threads_there = 0;
    for (size_t i = 0; i < count; i++) {
        struct proc_stat stat;
        pid_t pid = processes[i].pid;
        if (processes[i].ended || procfs_stat(pid, pid, &stat) != RC_OK)
            continue;
        list_threads(status, pid);
        status->threads_there += (size_t)stat.threads; // not all of them need to be listed
        rss += resident_bytes(pid);
        if (i == 0)
            describe(status, pid, &stat);
    }
    if (rss) // else all processes have ended, and what they last had stays
        status->rss = rss;
}

void target_status_read(struct target_status *status, const struct run_process *processes,
                        size_t count)
{
    int64_t began = clock_now();
    if (!count || began < status->next_read)
        return;
    read_all(status, processes, count);
    int64_t now = clock_now();
    status->next_read = now + READ_SHARE * (now - began);
}

void target_status_fini(struct target_status *status)
{
    free(status->command_line);
    free(status->threads);
    *status = (struct target_status){0};
}

void target_status_copy(const struct target_status *status, struct snapshot *snapshot)
{
    snapshot->command_line = xstrdup(status->command_line ? status->command_line : "");
    snapshot->uptime = status->uptime;
    snapshot->rss = status->rss;
    snapshot->stopped = status->stopped;
    snapshot->denied = status->denied;
    snapshot->threads = status->threads_there;
    snapshot->moment.thread_count = status->thread_count;
    snapshot->moment.threads =
        xcopy(status->threads, status->thread_count, sizeof *status->threads);
    snapshot_count_states(snapshot);
}

uint64_t target_status_cpu(const struct run_process *processes, size_t count)
{
    uint64_t cpu_ns = 0;
    size_t read = 0;
    for (size_t i = 0; i < count && read < CLOCKS_MAX; i++) {
        clockid_t clock;
        struct timespec time;
        if (processes[i].ended || clock_getcpuclockid(processes[i].pid, &clock) != 0 ||
            clock_gettime(clock, &time) != 0)
            continue;
        read++;
        cpu_ns += (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    }
    return cpu_ns;
}
