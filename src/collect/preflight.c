// SPDX-License-Identifier: MIT
#include "collect/preflight.h"

#include <errno.h>
#include <sys/uio.h>

#include "process/permission.h"
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

enum rc preflight_target(pid_t pid, struct err *err)
{
    enum rc rc = pid > 0 ? permission_explain(pid, 0, err)
                         : err_set(err, RC_USAGE, "%d is not the number of a process", (int)pid);
    if (rc != RC_OK)
        return rc;
    int errnum = probe(pid);
    return errnum ? permission_explain(pid, errnum, err) : RC_OK;
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
