// SPDX-License-Identifier: MIT
// Finds the descendants of the watched processes, those that start meanwhile included.
#pragma once

#include <stdint.h>

#include "sample/roster.h"

struct family {
    int proc_fd;      // /proc, open
    int loadavg_fd;   // its last field is the newest pid of the machine
    pid_t newest;
    struct map seen;  // pids whose parent was looked at
    int64_t next_at;
};

void family_init(struct family *family);

// Takes children that began up to now as having been there before us (after a pause).
void family_forget(struct family *family);

// Adds what is new to the roster, at most every 20 ms. Returns how many.
size_t family_look(struct family *family, struct roster *roster, int64_t now);
