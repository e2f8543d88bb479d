// SPDX-License-Identifier: MIT
// A finder knows which processes there are, and which of them have run since it looked last. One
// that has not run is the process that it was, with the same name and program: that is seen from
// one number of its schedstat, so a host full of idle processes costs little to look through.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct process_finder;

struct process_finder *finder_new(void);
void finder_free(struct process_finder *finder);

// Calls visit with each process that is new, has run, or of which that is not known. Fails when
// /proc cannot be read; then it has forgotten nothing.
enum rc finder_look(struct process_finder *finder, void (*visit)(void *context, pid_t pid),
                    void *context, struct err *err) MUST_CHECK;

// Says whether a process was there when it looked last.
bool finder_has_seen(const struct process_finder *finder, pid_t pid);

// Has a process visited the next time, though it does not run.
void finder_forget(struct process_finder *finder, pid_t pid);
