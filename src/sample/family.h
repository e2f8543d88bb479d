// SPDX-License-Identifier: MIT
// Finds the descendants of the watched processes, those that start meanwhile included.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/roster.h"

struct family {
    int proc_fd;      // /proc, open
    int loadavg_fd;   // its last field is the newest pid of the machine
    pid_t newest;     // at the last look
    pid_t checked;    // up to this one all are known, or are nobody's
    struct map seen;  // pids whose parent was looked at
    int64_t list_at;
    bool young;       // one was too young to be judged
};

void family_init(struct family *family);

// Treats children that began up to now as if they had been there before us (after a pause).
void family_forget(struct family *family);

// Adds new descendants to the roster, and returns whether there were any. This is called in each
// round: a process that is found late is sampled too little in the beginning of its life.
bool family_look(struct family *family, struct roster *roster, int64_t now);
