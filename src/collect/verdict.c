// SPDX-License-Identifier: MIT
#include "collect/verdict.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/permission.h"
#include "process/procfs.h"

struct match {
    const struct thread_filter *threads;
    pid_t pid;
    bool any;
};

static void match_thread(void *context, pid_t tid)
{
    struct match *match = context;
    char comm[COMM_MAX];
    match->any = match->any || (procfs_comm(match->pid, tid, comm) == RC_OK &&
                                thread_filter_matches(match->threads, comm));
}

static bool matches(const struct thread_filter *threads, pid_t pid)
{
    struct match match = {threads, pid, false};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && procfs_each_number(fd, match_thread, &match) == RC_OK && match.any;
}

enum rc verdict_match(const struct run *run, const pid_t *pids, size_t count,
                      const struct thread_filter *threads, const char *text, struct err *err)
{
    bool any = run->counts[COUNTER_THREADS_SAMPLED];
    for (size_t i = 0; i < count; i++)
        any = any || matches(threads, pids[i]);
    for (size_t i = 0; i < run->process_count; i++)
        any = any || matches(threads, run->processes[i].pid);
    if (any)
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(text);
    err_set(err, RC_GONE, "no thread has a name that matches --threads '%s'", shown);
    err_add(err, "  ptprof dump-threads %d shows the names", (int)pids[0]);
    return RC_GONE;
}

enum rc verdict_refusal(const struct run *run, pid_t pid, struct err *err)
{
    char comm[COMM_MAX] = "";
    uint64_t refused = run->counts[COUNTER_REFUSED];
    pid_t tracer = (pid_t)run->counts[COUNTER_TRACER];
    if (refused <= run->counts[COUNTER_SAMPLES])
        return RC_OK;
    if (!tracer && run->counts[COUNTER_SAMPLES] && permission_is_lost(pid))
        return RC_OK; // the samples from before it executed another program are complete
    err_set(err, RC_BUSY, "%" PRIu64 " of %" PRIu64 " stops were refused", refused,
            refused + run->counts[COUNTER_STOPS]);
    if (!tracer) {
        err_add(err, "  the kernel log (dmesg) may say why; ptprof check %d looks for the cause",
                (int)pid);
        return RC_DENIED;
    }
    enum rc there = procfs_comm(tracer, tracer, comm);
    AUTO_FREE char *shown = escape_text_dup(there == RC_OK ? comm : "has ended");
    err_add(err, "  process %d (%s) traced it, and there can be only one: detach or end that first",
            (int)tracer, shown);
    return RC_BUSY;
}
