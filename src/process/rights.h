// SPDX-License-Identifier: MIT
// The rights with which a target opens files. We may be root, and a path that the target chose may
// lead to a file that it may not read. So, where we may change our own rights, the file is opened
// with those of the target.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define RIGHTS_GROUPS 64

struct rights {
    uid_t uid;
    gid_t gid;
    gid_t groups[RIGHTS_GROUPS];
    int group_count;
    bool known; // if false, rights_take changes nothing
};

// Returns the rights of a process; not known when the process is gone.
struct rights rights_of(pid_t pid);

// Returns our own rights.
struct rights rights_own(void);

bool rights_same(const struct rights *a, const struct rights *b);

// Gives these rights to the calling thread only. Without the privilege to do that nothing changes;
// in that case we could not open more than the target anyway.
void rights_take(const struct rights *rights);
