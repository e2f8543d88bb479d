// SPDX-License-Identifier: MIT
// The rights of a target to open files. We may be root, and a path that the target chose may lead
// to a file that it may not read itself: it is opened as the target would open it, where we may
// change our own rights.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define RIGHTS_GROUPS 64

struct rights {
    uid_t uid;
    gid_t gid;
    gid_t groups[RIGHTS_GROUPS];
    int group_count;
    bool known; // zeroed: nothing changes when they are taken
};

// Of a process, for files; not known when it is gone.
struct rights rights_of(pid_t pid);

// Ours.
struct rights rights_own(void);

bool rights_same(const struct rights *a, const struct rights *b);

// The calling thread has these from now on, and no other one of the process. Without the right to
// do that, nothing changes: then it could not have opened more than the target either.
void rights_take(const struct rights *rights);
