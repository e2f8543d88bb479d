// SPDX-License-Identifier: MIT
#include "collect/preflight.h"

#include <errno.h>
#include <sys/uio.h>

#include "process/permission.h"
#include "process/procfs.h"
#include "sample/tracer.h"

#define NOWHERE ((void *)-4096ul) // no process has memory there

// Asks the kernel for memory that is not there, because the kernel checks first whether we may read
// the process. Nothing of it is touched, and no file that it maps has to answer.
static int probe(pid_t pid)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {NOWHERE, 1};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    return got >= 0 || errno == EFAULT || errno == ESRCH ? 0 : errno;
}

// All that is known of threads begins with the times that the kernel tells of them.
static enum rc check_times(pid_t pid, struct err *err)
{
    AUTO_BUF struct buf text = {0}, stat = {0};
    enum rc rc = procfs_read(&text, "/proc/%d/schedstat", (int)pid);
    bool told = rc == RC_OK ? text.length > 0 : rc != RC_GONE;
    if (told || procfs_read(&stat, "/proc/%d/stat", (int)pid) != RC_OK)
        return RC_OK; // or it is gone, and others find that out
    err_set(err, RC_FAIL, "this kernel does not tell how long threads run and wait: "
                          "/proc/%d/schedstat is %s", (int)pid, rc == RC_OK ? "empty" : "missing");
    err_add(err, "  ptprof needs a kernel with CONFIG_SCHED_INFO, which CONFIG_SCHEDSTATS and "
                 "CONFIG_TASK_DELAY_ACCT select");
    return RC_FAIL;
}

enum rc preflight_target(pid_t pid, struct err *err)
{
    enum rc rc = pid > 0 ? permission_explain(pid, 0, err)
                         : err_set(err, RC_USAGE, "%d is not the number of a process", (int)pid);
    if (rc != RC_OK)
        return rc;
    int errnum = probe(pid);
    return errnum ? permission_explain(pid, errnum, err) : check_times(pid, err);
}

enum rc preflight_tracing(pid_t pid, struct err *err)
{
    int errnum = tracer_refusal();
    if (!errnum)
        return RC_OK;
    enum rc rc = permission_explain(pid, errnum, err);
    err_add(err, "  the system call that is refused is ptrace; dump-threads reads what sleeps "
                 "without it");
    return rc;
}
