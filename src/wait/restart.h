// SPDX-License-Identifier: MIT
// Which system call a thread is really in. After a stop (SIGSTOP, a debugger) the kernel continues
// some calls under another number, restart_syscall, with the original arguments.
#pragma once

#include "wait/wait.h"

// Returns the name of the call, NULL if it is not known. A restarted call is recognized by the
// innermost functions; if that fails, the result is "restart_syscall".
const char *restart_name(const struct wait_thread *thread);
