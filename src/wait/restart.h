// SPDX-License-Identifier: MIT
// Which system call a thread really is in. After a stop (SIGSTOP, a debugger) the kernel goes on
// with some under another number, restart_syscall, and the arguments as they were.
#pragma once

#include "wait/wait.h"

// The name, NULL: not known. Of a restarted call as the innermost functions tell, else
// "restart_syscall".
const char *restart_name(const struct wait_thread *thread);
