// SPDX-License-Identifier: MIT
// Finds why a run has nothing to show, or less than it should: a message and an exit status.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/thread_filter.h"
#include "profile/run.h"

// Returns RC_GONE when no thread that lives now has a matching name, and none was seen. text is the
// expression as it was given.
enum rc verdict_match(const struct run *run, const pid_t *pids, size_t count,
                      const struct thread_filter *threads, const char *text,
                      struct err *err) MUST_CHECK;

// Returns RC_BUSY or RC_DENIED with a message that says what refused and why, when more stops were
// refused than samples taken. Returns RC_OK when that is so because the process has executed a
// program that may do more than we may.
enum rc verdict_refusal(const struct run *run, pid_t pid, struct err *err) MUST_CHECK;
