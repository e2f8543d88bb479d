// SPDX-License-Identifier: MIT
// `ptprof check PID` says whether attaching would work, and if not, why, without touching the
// target. `ptprof check --self` says which restrictions our own processes have.
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "commands/check_self.h"
#include "commands/command.h"
#include "process/permission.h"
#include "sample/tracer.h"

static const char *const marks[] = {
    [PERMISSION_OK] = "ok",
    [PERMISSION_PROBLEM] = "NO",
    [PERMISSION_POSSIBLE] = "?",
    [PERMISSION_NOTICE] = "!",
    [PERMISSION_SKIPPED] = "-",
};

static void print_row(const struct permission_row *row)
{
    const char *cause = row->state == PERMISSION_SKIPPED ? "does not apply, or cannot be read"
                                                         : row->cause;
    printf("  %-2s  %-16s %s\n", marks[row->state], row->name, cause);
    if (row->state != PERMISSION_PROBLEM && row->state != PERMISSION_POSSIBLE)
        return;
    for (const char *line = row->remedy; *line;) {
        size_t length = strcspn(line, "\n");
        printf("%23s%.*s\n", "", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

struct check_options {
    bool self;
};

static const struct check_options defaults;

static const struct option options[] = {
    {"self", 0, OPTION_FLAG, NULL, offsetof(struct check_options, self),
     .help = "print what ptprof's own processes may do here, in place of a process"},
    {NULL},
};

static enum rc one_of_both(bool self, bool pid, struct err *err)
{
    if (self != pid)
        return RC_OK;
    err_set(err, RC_USAGE, self ? "check: --self takes no PID" : "check: PID or --self is missing");
    err_add(err, "  ptprof check --help says what it takes");
    return RC_USAGE;
}

// A seccomp filter can be tested only by making the call: tracer_refusal calls ptrace with a PID
// that no process has.
static enum rc check_tracing(enum rc rc)
{
    struct permission_row row = {.name = "ptrace", .state = PERMISSION_OK};
    int errnum = tracer_refusal();
    snprintf(row.cause, sizeof row.cause, "%s", errnum ? "a seccomp filter refuses us the call"
                                                       : "we may make the system call");
    row.state = errnum ? PERMISSION_PROBLEM : PERMISSION_OK;
    print_row(&row);
    return rc == RC_OK && errnum ? RC_DENIED : rc;
}

static int run(const struct call *call, struct err *err)
{
    const struct check_options *wanted = call->options;
    pid_t pid;
    enum rc rc = one_of_both(wanted->self, call->count, err);
    if (rc == RC_OK && wanted->self)
        return command_status(check_self(err));
    if (rc == RC_OK)
        rc = command_pid(call->operands[0], &pid, err);
    if (rc)
        return command_status(rc);
    struct permission_report report;
    rc = permission_check(pid, &report);
    if (*report.comm)
        printf("Process %d (%s)\n", pid, report.comm);
    else
        printf("Process %d\n", pid);
    for (size_t i = 0; i < report.count; i++)
        print_row(&report.rows[i]);
    rc = check_tracing(rc);
    puts(rc ? "ptprof cannot attach to it." : "ptprof can attach to it.");
    return command_status(rc);
}

const struct command command_check = {
    .name = "check",
    .args = "PID",
    .summary = "say whether attaching to a process would work, and if not why",
    .details = "Reads /proc only and tries nothing on the process. Each line begins with ok, NO,\n"
               "? (may be in the way), ! (there is nothing to see) or - (does not apply). The\n"
               "exit status is 0, or that of the first NO.\n",
    .operand = OPERAND_PID,
    .least = 0,
    .most = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples =
        (const struct example[]){
            {"ptprof check 4242", "what stands in the way, if anything"},
            {"ptprof check --self", "what ptprof's own processes may do"},
            {NULL, NULL},
        },
    .run = run,
};
