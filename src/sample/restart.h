// SPDX-License-Identifier: MIT
// A stop breaks off a system call that sleeps. Most are restarted by the kernel; what it would get
// wrong is put right here, on a held thread.
#pragma once

#include <stdbool.h>

#include "sample/tracer.h"

bool restart_in_syscall(const struct registers *regs);

// Whether the system call was asleep when the stop came: the thread is on its way back into it.
bool restart_was_asleep(const struct registers *regs);

// It blocked between our check and our stop, so the call would fail for our sake: let the kernel
// restart it unless a real signal comes. Its timeout begins again. Likewise, if `filtered`, a call
// that would go on through restart_syscall, which a seccomp filter may punish by death. True when
// the call would have failed.
bool restart_repair(const struct tracer_hold *hold, const struct registers *regs, bool filtered);
