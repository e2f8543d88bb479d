// SPDX-License-Identifier: MIT
// Why attaching to a process is, or would be, denied: one row a cause, each with its one remedy.
// Everything is read from /proc; nothing is tried on the target.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum permission_state {
    PERMISSION_OK,
    PERMISSION_PROBLEM,  // attaching fails, or would do harm
    PERMISSION_POSSIBLE, // may be why it fails; /proc alone does not tell
    PERMISSION_NOTICE,   // attaching works, and there may be nothing to see
    PERMISSION_SKIPPED,  // does not apply, or cannot be read
};

struct permission_row {
    const char *name;
    enum permission_state state;
    enum rc rc;        // RC_OK unless it is a problem
    char cause[320];   // escaped. What was found, also when it is in order; "" when skipped
    char remedy[320];  // of a problem or a possible one; may be two lines, "" when nothing helps
};

#define PERMISSION_ROWS 16

struct permission_report {
    struct permission_row rows[PERMISSION_ROWS];
    size_t count;
    char comm[256]; // of the target, escaped; "" when there is no such process
};

// Fills in all rows, in the order in which they matter; when the pid itself is wrong only the rows
// up to there. Returns the rc of the first problem, RC_OK if attaching should work. `proc` is
// "/proc" but for tests.
enum rc permission_check_at(const char *proc, pid_t pid, struct permission_report *report);
enum rc permission_check(pid_t pid, struct permission_report *report);

// The message for a person: "cannot attach to 4242 (postgres): ...", cause, remedy.
// errnum: what the kernel said to an attempt. With 0 (before any attempt) only what no permission
// can cure is a reason (no such pid, a thread's id, ourselves, a kernel thread, a zombie, 32 bits,
// another tracer), and without one the result is RC_OK. With an errnum it never is.
enum rc permission_explain_at(const char *proc, pid_t pid, int errnum, struct err *err) MUST_CHECK;
enum rc permission_explain(pid_t pid, int errnum, struct err *err) MUST_CHECK;
