// SPDX-License-Identifier: MIT
#include "process/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "process/permission_cause.h"

// What is a cause only for who holds threads is passed over by who reads.
static enum rc check(const char *proc, pid_t pid, bool reading, struct permission_report *report)
{
    struct facts facts;
    facts_gather(&facts, proc, pid);
    *report = (struct permission_report){0};
    if (facts.exists)
        facts_comm(&facts, pid, report->comm, sizeof report->comm);
    enum rc first = RC_OK;
    for (size_t i = 0; i < permission_cause_count; i++) {
        struct permission_row *row = &report->rows[report->count++];
        row->name = permission_causes[i].name;
        row->state = reading && permission_causes[i].holding
                         ? PERMISSION_SKIPPED
                         : permission_causes[i].test(&facts, row);
        if (row->state != PERMISSION_PROBLEM)
            continue;
        row->rc = permission_causes[i].rc;
        first = first ? first : row->rc;
        if (permission_causes[i].final)
            break;
    }
    return first;
}

enum rc permission_check_at(const char *proc, pid_t pid, struct permission_report *report)
{
    return check(proc, pid, false, report);
}

enum rc permission_check(pid_t pid, struct permission_report *report)
{
    return permission_check_at("/proc", pid, report);
}

// Returns the first problem (with errnum 0: only an early one). Where there is none but the kernel
// gave an errnum, returns the first possible one.
static const struct permission_row *first_reason(const struct permission_report *report, int errnum)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->rows[i].state == PERMISSION_PROBLEM && (errnum || permission_causes[i].early))
            return &report->rows[i];
    for (size_t i = 0; errnum && i < report->count; i++)
        if (report->rows[i].state == PERMISSION_POSSIBLE)
            return &report->rows[i];
    return NULL;
}

static enum rc rc_of_errnum(int errnum)
{
    switch (errnum) {
    case ESRCH:
        return RC_GONE;
    case EPERM:
    case EACCES:
    case ENOSYS: // seccomp filters may return this too
        return RC_DENIED;
    default:
        return RC_FAIL;
    }
}

static void add_reason(struct err *err, const struct permission_row *row, const char *see)
{
    AUTO_FREE char *lines = xasprintf("%s\n%s", row->cause, row->remedy);
    char *rest = lines;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
        err_add(err, "  %s%s", line, rest && *rest ? "" : see);
}

static enum rc explain(const struct permission_report *report, const char *deed, pid_t pid,
                       int errnum, struct err *err)
{
    const struct permission_row *row = first_reason(report, errnum);
    if (!row && !errnum)
        return RC_OK;
    enum rc rc = row && row->rc ? row->rc : rc_of_errnum(errnum);
    AUTO_FREE char *name = *report->comm ? xasprintf(" (%s)", report->comm) : xstrdup("");
    if (errnum)
        err_sys(err, rc, errnum, "cannot %s %d%s", deed, pid, name);
    else
        err_set(err, rc, "cannot %s %d%s", deed, pid, name);
    const char *see = rc == RC_DENIED ? "        see ptprof(1), PERMISSIONS" : "";
    if (row)
        add_reason(err, row, see);
    else if (rc == RC_DENIED)
        err_add(err, "  nothing in /proc says why; the kernel log (dmesg) may%s", see);
    return rc;
}

enum rc permission_explain_at(const char *proc, pid_t pid, int errnum, struct err *err)
{
    struct permission_report report;
    (void)permission_check_at(proc, pid, &report);
    return explain(&report, "attach to", pid, errnum, err);
}

enum rc permission_explain_reading(pid_t pid, int errnum, struct err *err)
{
    struct permission_report report;
    (void)check("/proc", pid, true, &report);
    return explain(&report, "read the memory of", pid, errnum, err);
}

enum rc permission_explain(pid_t pid, int errnum, struct err *err)
{
    return permission_explain_at("/proc", pid, errnum, err);
}

bool permission_is_lost(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 && (errno == EACCES || errno == EPERM);
}
