// SPDX-License-Identifier: MIT
// How control groups (cgroups) restrict a process: they can freeze it or limit its CPU time.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Returns whether one of its cgroups is frozen (docker pause, cgroup.freeze): no thread of the
// process runs until it is thawed. Returns false also when that cannot be found out.
bool control_group_is_frozen(pid_t pid);

// Returns for how long, ns, the CPU quota (cpu.max) of its cgroup or of an ancestor has throttled
// it so far; 0 when it never did or that cannot be found out.
uint64_t control_group_throttled(pid_t pid);
