// SPDX-License-Identifier: MIT
#include "target/jit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "target/perf_map.h"
#include "target/procfs.h"
#include "target/regular_file.h"

#define READ_EVERY (100 * NS_PER_MS)
#define OPEN_EVERY NS_PER_S
#define READ_MAX (1u << 20)   // bytes at once, about 5 ms
#define FILE_MOST (128 << 20) // bytes of the file that are read at all
#define SLACK_S 2             // by which clocks of files and processes may differ

struct jit {
    pid_t pid;
    pid_t inner_pid; // as the process knows itself; 0: never asked
    int fd;        // of the file, -1: there is none yet
    off_t read_to; // bytes of it that were taken
    int64_t read_at, opened_at; // CLOCK_MONOTONIC ns
    struct perf_map *names;
};

struct jit *jit_new(pid_t pid)
{
    struct jit *jit = xcalloc(1, sizeof *jit);
    jit->pid = pid;
    jit->fd = -1;
    jit->names = perf_map_new();
    return jit;
}

static void forget_file(struct jit *jit)
{
    if (jit->fd >= 0)
        close(jit->fd);
    jit->fd = -1;
    jit->read_to = 0;
}

void jit_free(struct jit *jit)
{
    if (!jit)
        return;
    forget_file(jit);
    perf_map_free(jit->names);
    free(jit);
}

static bool is_of_user(const struct stat *info, const struct proc_status *status)
{
    if (info->st_uid == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(status->uid); i++)
        if (info->st_uid == status->uid[i])
            return true;
    return false;
}

// A file that was not written to since the process began is of an earlier one of the same number.
static bool is_of_process(const struct stat *info, pid_t pid)
{
    struct proc_stat stat;
    struct timespec since_boot;
    if (procfs_stat(pid, pid, &stat) != RC_OK || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return false;
    int64_t age = since_boot.tv_sec - (int64_t)stat.start_time / sysconf(_SC_CLK_TCK);
    return info->st_mtim.tv_sec + SLACK_S >= clock_wall() / NS_PER_S - age;
}

// The number is that of the process in its own PID namespace.
static void open_file(struct jit *jit)
{
    struct proc_status status;
    struct stat info;
    char path[48];
    if (procfs_status(jit->pid, &status) != RC_OK)
        return;
    jit->inner_pid = status.inner_pid ? status.inner_pid : status.tgid;
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)jit->inner_pid);
    AUTO_FD int fd = regular_file_open_inside(jit->pid, path, &info);
    if (fd >= 0 && is_of_user(&info, &status) && is_of_process(&info, jit->pid))
        jit->fd = steal_fd(&fd);
}

// False when there is no more for now.
static bool read_some(struct jit *jit)
{
    AUTO_FREE char *text = xmalloc(READ_MAX);
    if (jit->read_to > FILE_MOST)
        return false;
    ssize_t got = pread(jit->fd, text, READ_MAX, jit->read_to);
    size_t taken = got > 0 ? perf_map_parse(jit->names, text, (size_t)got) : 0;
    if (!taken && got == (ssize_t)READ_MAX)
        taken = READ_MAX; // a line as long as that is none
    jit->read_to += (off_t)taken;
    return taken > 0;
}

// Some writers begin again at the file's start, or with another file.
static bool has_more(struct jit *jit)
{
    struct stat info;
    if (fstat(jit->fd, &info) != 0)
        return false;
    if (info.st_size < jit->read_to)
        jit->read_to = 0;
    if (info.st_size > jit->read_to)
        return true;
    if (!info.st_nlink)
        forget_file(jit);
    return false;
}

static size_t refresh(struct jit *jit, bool now)
{
    int64_t time = clock_now();
    if (!now && time - jit->read_at < READ_EVERY)
        return SIZE_MAX;
    jit->read_at = time;
    if (jit->fd < 0 && (now || time - jit->opened_at >= OPEN_EVERY)) {
        jit->opened_at = time;
        open_file(jit);
    }
    if (jit->fd < 0 || !has_more(jit))
        return SIZE_MAX;
    while (read_some(jit) && now)
        ;
    return perf_map_moved(jit->names);
}

char *jit_problem(const struct jit *jit)
{
    if (perf_map_count(jit->names))
        return NULL;
    if (jit->fd >= 0)
        return xstrdup("its process has written no names yet");
    return xasprintf("its process has no /tmp/perf-%d.map of its own; node writes one with "
                     "--perf-basic-prof, Python with -X perf, Java by jcmd %d Compiler.perfmap",
                     (int)jit->inner_pid, (int)jit->pid);
}

size_t jit_refresh(struct jit *jit)
{
    return refresh(jit, false);
}

size_t jit_settle(struct jit *jit)
{
    return jit->read_at ? refresh(jit, true) : SIZE_MAX;
}

const char *jit_find(const struct jit *jit, uint64_t address, size_t known, uint64_t *offset)
{
    return perf_map_find(jit->names, address, known, offset);
}

void jit_use(struct jit *jit, uint64_t address)
{
    perf_map_use(jit->names, address);
}
