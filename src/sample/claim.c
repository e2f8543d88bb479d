// SPDX-License-Identifier: MIT
#include "sample/claim.h"

#include "base/mem.h"
#include "sample/task_file.h"
#include "sample/thread.h"
#include "sample/watched.h"

bool claim_take(struct thread *thread, int by)
{
    int nobody = 0;
    return atomic_load_explicit(&thread->claim.by, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(&thread->claim.by, &nobody, by);
}

void claim_release(struct thread *thread)
{
    atomic_store(&thread->claim.by, 0);
}

bool claim_text(struct thread *thread, int kept, const char *name, char text[CLAIM_TEXT])
{
    AUTO_FD int moment = kept < 0 ? thread_open(thread, name) : -1;
    return task_file_read(kept < 0 ? moment : kept, text, CLAIM_TEXT);
}

bool claim_read(struct thread *thread, struct schedstat *stat)
{
    char text[CLAIM_TEXT];
    return claim_text(thread, thread->claim.schedstat_fd, "schedstat", text) &&
           schedstat_parse(text, stat);
}

bool claim_call(struct thread *thread, struct proc_syscall *call)
{
    char text[CLAIM_TEXT];
    return !thread->process->no_syscall &&
           claim_text(thread, -1, "syscall", text) &&
           proc_syscall_parse(text, call);
}

static void open_to_keep(const struct thread *thread, int *kept, const char *name)
{
    AUTO_FD int fd = *kept < 0 ? thread_open(thread, name) : -1;
    if (fd >= 0 && fd < thread->fds_to_keep)
        *kept = steal_fd(&fd);
}

void claim_open(struct thread *thread)
{
    open_to_keep(thread, &thread->claim.schedstat_fd, "schedstat");
    open_to_keep(thread, &thread->claim.sched_fd, "sched");
    open_to_keep(thread, &thread->claim.stat_fd, "stat");
}

void claim_close(struct claim *claim)
{
    cleanup_fd(&claim->schedstat_fd);
    cleanup_fd(&claim->sched_fd);
    cleanup_fd(&claim->stat_fd);
}
