// SPDX-License-Identifier: MIT
// Finds out what will fail before anything of the target is touched.
#pragma once

#include <sys/types.h>

#include "base/err.h"

// Checks whether a process can be profiled, and touches nothing but one byte. Returns RC_USAGE,
// RC_GONE, RC_DENIED, RC_BUSY or (of the kernel) RC_FAIL with a message that says what to do.
enum rc preflight_target(pid_t pid, struct err *err) MUST_CHECK;

// Checks whether threads of a process can be stopped, without naming one: a filter may allow what
// preflight_target tries and refuse ptrace. Returns RC_DENIED then.
enum rc preflight_tracing(pid_t pid, struct err *err) MUST_CHECK;
