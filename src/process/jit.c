// SPDX-License-Identifier: MIT
#include "process/jit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patience.h"
#include "process/perf_map.h"
#include "process/procfs.h"
#include "process/regular_file.h"
#include "process/rights.h"

#define LOOK_MS 1000
#define READ_EVERY (100 * NS_PER_MS)
#define OPEN_EVERY NS_PER_S
#define READ_MAX (1u << 20)   // bytes read at once, in about 5 ms
#define FILE_MOST (128 << 20) // only so many bytes of the file are read
#define SLACK_S 2             // clocks of files and processes may differ by so much

struct jit {
    pid_t pid;
    pid_t inner_pid; // the pid in the process's own namespace; 0: not yet known
    int fd;        // the open perf-PID.map; -1: there is none yet
    bool silent;   // its file system did not answer and is not asked again
    off_t read_to; // file offset up to which names were parsed
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

// A file not written to since the process started belongs to an earlier process with that pid.
static bool is_of_process(const struct stat *info, pid_t pid)
{
    struct proc_stat stat;
    struct timespec since_boot;
    if (procfs_stat(pid, pid, &stat) != RC_OK || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return false;
    int64_t age = since_boot.tv_sec - (int64_t)stat.start_time / sysconf(_SC_CLK_TCK);
    return info->st_mtim.tv_sec + SLACK_S >= clock_wall() / NS_PER_S - age;
}

// One read of the file. It happens in another thread, because the file system may not answer.
struct map_look {
    pid_t pid, inner_pid;
    int fd;        // -1: open the file first
    off_t from;    // file offset to read from
    struct stat info;
    bool open;     // the file could be opened
    ssize_t got;   // bytes of text; 0: there was nothing new
    char *text;
};

static void look_free(void *context)
{
    struct map_look *look = context;
    cleanup_fd(&look->fd);
    free(look->text);
    free(look);
}

// The file is named after the pid in the process's own PID namespace.
static void open_file(struct map_look *look)
{
    struct proc_status status;
    const struct rights own = rights_own(), theirs = rights_of(look->pid);
    char path[48];
    if (procfs_status(look->pid, &status) != RC_OK)
        return;
    look->inner_pid = status.inner_pid ? status.inner_pid : status.tgid;
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)look->inner_pid);
    rights_take(&theirs);
    AUTO_FD int fd = regular_file_open_inside(look->pid, path, &look->info);
    rights_take(&own);
    if (fd >= 0 && is_of_user(&look->info, &status) && is_of_process(&look->info, look->pid))
        look->fd = steal_fd(&fd);
}

// Some writers truncate the file and start anew, others replace it with another file.
static void look_now(void *context)
{
    struct map_look *look = context;
    if (look->fd < 0)
        open_file(look);
    look->open = look->fd >= 0 && fstat(look->fd, &look->info) == 0;
    if (!look->open)
        return;
    if (look->info.st_size < look->from)
        look->from = 0;
    if (look->info.st_size == look->from || look->from > FILE_MOST)
        return;
    look->text = xmalloc(READ_MAX);
    look->got = pread(look->fd, look->text, READ_MAX, look->from);
}

static void take_text(struct jit *jit, const struct map_look *look)
{
    size_t taken =
        look->got > 0 ? perf_map_parse(jit->names, look->text, (size_t)look->got) : 0;
    if (!taken && look->got == (ssize_t)READ_MAX)
        taken = READ_MAX; // no name is a megabyte long: skip it
    jit->read_to = look->from + (off_t)taken;
}

// Returns false when there is nothing more to read for now.
static bool read_some(struct jit *jit)
{
    struct map_look *look = xcalloc(1, sizeof *look);
    *look = (struct map_look){.pid = jit->pid, .inner_pid = jit->inner_pid, .fd = jit->fd,
                          .from = jit->read_to};
    if (!patience_call(look_now, look_free, look, LOOK_MS)) {
        jit->silent = true;
        jit->fd = -1; // the thread that still hangs uses it
        return false;
    }
    off_t before = jit->read_to;
    jit->inner_pid = look->inner_pid;
    jit->fd = steal_fd(&look->fd);
    if (look->open)
        take_text(jit, look);
    if (look->open && look->got <= 0 && !look->info.st_nlink)
        forget_file(jit);
    look_free(look);
    return jit->fd >= 0 && jit->read_to != before;
}

static size_t refresh(struct jit *jit, bool now)
{
    int64_t time = clock_now();
    if (jit->silent || (!now && time - jit->read_at < READ_EVERY))
        return SIZE_MAX;
    jit->read_at = time;
    if (jit->fd < 0 && !now && time - jit->opened_at < OPEN_EVERY)
        return SIZE_MAX;
    if (jit->fd < 0)
        jit->opened_at = time;
    while (read_some(jit) && now)
        ;
    return perf_map_moved(jit->names);
}

char *jit_problem(const struct jit *jit)
{
    if (perf_map_count(jit->names))
        return NULL;
    if (jit->silent)
        return xasprintf("the file system of its /tmp/perf-%d.map does not answer",
                         (int)jit->inner_pid);
    if (jit->fd >= 0)
        return xstrdup("its process has written no names yet");
    return xasprintf("its process has no /tmp/perf-%d.map of its own; node writes one with "
                     "--perf-basic-prof, Python with -X perf, Erlang with +JPperf true, Java by "
                     "jcmd %d Compiler.perfmap",
                     (int)jit->inner_pid, (int)jit->pid);
}

size_t jit_refresh(struct jit *jit)
{
    return refresh(jit, false);
}

size_t jit_finish(struct jit *jit)
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
