// SPDX-License-Identifier: MIT
// What can be told to be wrong before anything is touched.
#pragma once

#include <sys/types.h>

#include "base/err.h"

// Looks whether a process can be looked at, touching nothing but one byte: RC_USAGE, RC_GONE,
// RC_DENIED, RC_BUSY with a message that says what to do.
enum rc preflight_target(pid_t pid, struct err *err) MUST_CHECK;

// Whether threads of it can be stopped, asked without naming any: a filter may allow what
// preflight_target tries and refuse ptrace. RC_DENIED.
enum rc preflight_tracing(pid_t pid, struct err *err) MUST_CHECK;
