// SPDX-License-Identifier: MIT
// Why attaching to a process is, or would be, denied: one row for each cause, with one remedy.
// Everything is read from /proc; nothing is tried on the target.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum permission_state {
    PERMISSION_OK,
    PERMISSION_PROBLEM,  // attaching fails, or would do harm
    PERMISSION_POSSIBLE, // it may be why attaching fails; /proc alone does not show it
    PERMISSION_NOTICE,   // attaching works, but there may be nothing to see
    PERMISSION_SKIPPED,  // it does not apply, or cannot be read
};

struct permission_row {
    const char *name;
    enum permission_state state;
    enum rc rc;        // RC_OK unless the row is a problem
    char cause[320];   // what was found, even when it is in order; escaped; "" when skipped
    char remedy[320];  // for a problem or a possible one; may be two lines, "" when nothing helps
};

#define PERMISSION_ROWS 16

struct permission_report {
    struct permission_row rows[PERMISSION_ROWS];
    size_t count;
    char comm[256]; // name of the target, escaped; "" when there is no such process
};

// Fills in all rows, in the order in which they matter; when the pid is wrong, only up to that row.
// Returns the rc of the first problem, RC_OK if attaching should work. `proc` is "/proc" but in
// tests.
enum rc permission_check_at(const char *proc, pid_t pid, struct permission_report *report);
enum rc permission_check(pid_t pid, struct permission_report *report);

// Writes the message for the user: "cannot attach to 4242 (postgres): ...", cause, remedy. `errnum`
// is what the kernel returned for an attempt. 0 stands for the check before an attempt: then only
// causes count that no permission can cure (no such pid, a thread's id, ourselves, a kernel thread,
// a zombie, 32 bits, another tracer), and the result is RC_OK when there is none. With an errnum
// the result is never RC_OK.
enum rc permission_explain_at(const char *proc, pid_t pid, int errnum, struct err *err) MUST_CHECK;
enum rc permission_explain(pid_t pid, int errnum, struct err *err) MUST_CHECK;

// Does the same for who reads and holds no thread: that it is ourselves, that we descend from it or
// that another one traces it is no cause then.
enum rc permission_explain_reading(pid_t pid, int errnum, struct err *err) MUST_CHECK;

// Returns whether a process that we were permitted to read has executed a program that may do more
// than we may: the kernel then refuses to open its maps.
bool permission_is_lost(pid_t pid);
