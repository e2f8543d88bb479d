// SPDX-License-Identifier: MIT
// A stop breaks off a system call that sleeps. Most are restarted by the kernel; what it would get
// wrong is put right here, on a held thread.
#pragma once

#include <stdbool.h>

#include "sample/tracer.h"

bool restart_in_syscall(const struct registers *regs);

// Returns whether the system call slept when the stop came: the thread is on its way back into it.
bool restart_was_asleep(const struct registers *regs);

// Repairs a call that would fail because of our stop, for the thread blocked between our check and
// the stop: the kernel restarts it unless a real signal comes, and its timeout begins again. If
// `filtered`, a call is restarted too that would go on through restart_syscall, for which a seccomp
// filter may kill the process. Returns whether the call would have failed.
bool restart_repair(const struct tracer_hold *hold, const struct registers *regs, bool filtered);
