// SPDX-License-Identifier: MIT
#include "session/preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/escape.h"
#include "base/mem.h"
#include "sample/tracer.h"
#include "target/permission.h"
#include "target/procfs.h"

// Reads one byte of the process, as harmless as it gets: the kernel's own answer to whether we may.
static int probe(pid_t pid)
{
    AUTO_BUF struct buf maps = {0};
    struct proc_map map;
    char byte, *cursor;
    if (procfs_read(&maps, "/proc/%d/maps", pid) == RC_DENIED)
        return EACCES;
    cursor = maps.length ? maps.data : "";
    if (!maps.length || !proc_map_parse(&cursor, &map))
        return 0; // a leader that has ended, with threads that run on
    struct iovec here = {&byte, 1}, there = {(void *)map.start, 1};
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT || errno == ESRCH)
        return 0;
    return errno;
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

enum rc preflight_threads(const char *text, regex_t *threads, struct err *err)
{
    char reason[256];
    int failed = regcomp(threads, text, REG_EXTENDED | REG_NOSUB);
    if (!failed)
        return RC_OK;
    regerror(failed, threads, reason, sizeof reason);
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "'%s' is not a regular expression: %s", shown, reason);
}
