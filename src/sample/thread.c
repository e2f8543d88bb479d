// SPDX-License-Identifier: MIT
#include "sample/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/task_file.h"
#include "sample/watched.h"

#define TEXT_MAX 256
#define CHARGE_DELAY_NS (20 * NS_PER_MS) // of the kernel, at its ticks

struct thread *thread_new(struct watched *process, pid_t tid, uint32_t number, int fds_to_keep)
{
    struct thread *thread = xcalloc(1, sizeof *thread);
    thread->number = number;
    thread->tid = tid;
    thread->process = process;
    thread->fds_to_keep = fds_to_keep;
    thread->schedstat_fd = thread->syscall_fd = -1;
    thread->claim = (struct claim){.cpu = -1, .schedstat_fd = -1, .sched_fd = -1, .stat_fd = -1};
    thread->listed = true;
    return thread;
}

void thread_free(struct thread *thread)
{
    cleanup_fd(&thread->schedstat_fd);
    cleanup_fd(&thread->syscall_fd);
    claim_close(&thread->claim);
    free(thread);
}

int thread_open(const struct thread *thread, const char *name)
{
    return watched_open(thread->process, thread->tid, name);
}

// Reads a short file of a thread through its kept descriptor; when descriptors are short, through
// one for the moment.
static enum rc read_task_file(struct thread *thread, int *kept, const char *name,
                              char text[TEXT_MAX])
{
    AUTO_FD int moment = *kept < 0 ? watched_open(thread->process, thread->tid, name) : -1;
    int fd = *kept < 0 ? moment : *kept;
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? RC_LIMIT : RC_GONE;
    if (!task_file_read(fd, text, TEXT_MAX))
        return RC_GONE;
    if (fd == moment && fd < thread->fds_to_keep)
        *kept = steal_fd(&moment);
    return RC_OK;
}

void thread_end(struct thread *thread)
{
    thread->gone = true;
    thread->process->has_gone_threads = true;
}

enum rc thread_read(struct thread *thread, struct schedstat *stat)
{
    char text[TEXT_MAX];
    enum rc rc = read_task_file(thread, &thread->schedstat_fd, "schedstat", text);
    if (rc == RC_OK && !schedstat_parse(text, stat))
        rc = RC_FORMAT;
    if (rc == RC_GONE)
        thread_end(thread);
    return rc;
}

// All CPU time up to `stat` was somebody else's, or does not count.
static void rebase_to(struct thread *thread, const struct schedstat *stat)
{
    uint64_t skipped = stat->run_ns - thread->last.run_ns;
    thread->report.base_run += skipped;
    thread->report.run += skipped;
    thread->last.run_ns = stat->run_ns;
}

// What a thread used before us does not count. One of the first listing counts from when that
// began, if it does not move until it is looked at.
static void begin(struct thread *thread, const struct schedstat *stat, int64_t now)
{
    const struct watched *process = thread->process;
    uint64_t watched_ns = (uint64_t)(now - process->done.added_at) + CHARGE_DELAY_NS;
    bool first = !process->done.scanned_at;
    bool ours = process->born_watched || (!first && stat->run_ns < watched_ns);
    thread->report.base_run = ours ? 0 : stat->run_ns;
    thread->report.run = thread->report.base_run;
    thread->report.wait = ours ? 0 : stat->wait_ns;
    thread->report.at = first ? process->done.added_at : now;
    thread->last.run_ns = thread->report.base_run;
    thread->unmoved_since = now;
}

// It moved. Before it was read first, it may have done so too.
static void note_move(struct thread *thread, int64_t now)
{
    if (thread->report.at == thread->process->done.added_at && thread->known)
        thread->report.at = thread->unmoved_since;
    thread->unmoved_since = now;
}

void thread_note(struct thread *thread, const struct schedstat *stat, uint64_t *moved_ns)
{
    int64_t now = clock_now();
    if (!thread->known)
        begin(thread, stat, now);
    // Less CPU time than before, or more than time has passed: by exec another thread took the
    // number over.
    if (stat->run_ns < thread->last.run_ns ||
        (thread->known && stat->run_ns - thread->last.run_ns >
                              (uint64_t)(now - thread->noted_at) + CHARGE_DELAY_NS))
        rebase_to(thread, stat);
    thread->noted_at = now;
    *moved_ns += stat->run_ns - thread->last.run_ns;
    if (stat->run_ns != thread->last.run_ns || stat->switches != thread->last.switches)
        note_move(thread, now);
    thread->last = *stat;
    thread->known = true;
}

int thread_cpu(struct thread *thread)
{
    char text[CLAIM_TEXT];
    return claim_text(thread, -1, "stat", text) ? proc_stat_cpu(text) : -1;
}

// This is slower, and needs no right to "syscall".
static bool state_is_running(struct thread *thread)
{
    char text[TEXT_MAX];
    struct proc_stat stat;
    return read_task_file(thread, &thread->syscall_fd, "stat", text) == RC_OK &&
           proc_stat_parse(text, &stat) && stat.state == 'R';
}

bool thread_is_running(struct thread *thread)
{
    char text[TEXT_MAX];
    if (thread->process->no_syscall)
        return state_is_running(thread);
    return read_task_file(thread, &thread->syscall_fd, "syscall", text) == RC_OK &&
           proc_syscall_is_running(text);
}

bool thread_call(struct thread *thread, struct proc_syscall *call)
{
    char text[TEXT_MAX];
    return !thread->process->no_syscall &&
           read_task_file(thread, &thread->syscall_fd, "syscall", text) == RC_OK &&
           proc_syscall_parse(text, call);
}

void thread_rebase(struct thread *thread)
{
    struct schedstat stat;
    if (thread_read(thread, &stat) != RC_OK)
        return;
    rebase_to(thread, &stat);
    thread->report.wait += stat.wait_ns - thread->last.wait_ns;
    thread->last = stat;
    thread->noted_at = thread->report.at = clock_now();
}
