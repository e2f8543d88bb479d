// SPDX-License-Identifier: MIT
// What the control groups (cgroups) of a process keep it from: running at all, or running more.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Whether a group of it is frozen (docker pause, cgroup.freeze): nothing of it runs until that is
// thawed. False also where nobody can tell.
bool control_group_is_frozen(pid_t pid);

// Time, ns, for which the CPU quota of its group or of one above it (cpu.max) has kept the group
// from its CPUs so far; 0: never, or nobody can tell.
uint64_t control_group_throttled(pid_t pid);
