// SPDX-License-Identifier: MIT
#include "sample/refusal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "process/procfs.h"
#include "sample/watched.h"

static bool is_ours(pid_t tracer)
{
    return tracer && syscall(SYS_tgkill, getpid(), tracer, 0) == 0;
}

// The kernel answers EPERM for a thread that is on its way out too: /proc knows.
void refusal_count(struct control *control, struct thread *thread)
{
    struct proc_status status;
    struct proc_stat stat;
    if (procfs_stat(thread->process->pid, thread->tid, &stat) != RC_OK || stat.state == 'Z' ||
        stat.state == 'X')
        return;
    if (proc_stat_is_worker(&stat)) {
        atomic_store(&thread->skipped, true);
        control_count(control, COUNTER_WORKERS, 1);
        return;
    }
    if (procfs_status(thread->tid, &status) != RC_OK || is_ours(status.tracer))
        return;
    control_count(control, COUNTER_REFUSED, 1);
    atomic_store(&control->counts[COUNTER_TRACER], status.tracer);
}
