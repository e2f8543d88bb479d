// SPDX-License-Identifier: MIT
// How control groups (cgroups) restrict a process: they can freeze it or limit its CPU time. What
// they say of its memory is in memory_group.h.
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

// Returns the path of the cgroup in the hierarchy of a controller ("": the unified one), as a text
// of /proc/PID/cgroup gives it: "/.." begins one that is not below the root that we see. The caller
// frees it. NULL: there is none.
char *control_group_path(const char *groups, const char *controller);
