// SPDX-License-Identifier: MIT
// What the parts of wait_find_all share: the process that is asked, who its threads are, and tables
// of the machine that are read when first needed.
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "wait/lock.h"
#include "wait/wait.h"

struct finder {
    const struct wait_process *process;
    const char *proc;        // "/proc"
    const struct wait_thread *asking; // whose wait is being told
    bool frozen;             // by its control group
    bool same_namespace;     // its PID namespace is ours: pids in its memory mean the same here
    bool nested; // it is not the first one: who shares memory with it may number threads otherwise
    struct map by_inner_tid; // -> index of thread
    struct lock *locks;      // [thread]; owned
    struct socket_table *sockets; // owned, NULL until needed
    struct peers *peers;          // owned, NULL until needed
    struct descriptors *descriptors; // described so far; owned, NULL until needed
};

void finder_init(struct finder *finder, const struct wait_process *process);
void finder_fini(struct finder *finder);

// What the call of the thread that is asked about was given: from the copy of its stack if it lies
// there, for a thread that has run meanwhile has put other things in its place; else from memory.
bool finder_read_given(const struct finder *finder, uint64_t address, void *to, size_t length);

bool finder_read(const struct finder *finder, uint64_t address, void *to, size_t length);

// The thread with that tid in its own PID namespace, or WAIT_NOBODY.
size_t finder_thread(const struct finder *finder, uint32_t inner_tid);

// Appends `4251 "worker"`, escaped: a thread of the process, and any process.
void finder_put_thread(const struct finder *finder, size_t thread, struct buf *out);
void finder_put_process(const struct finder *finder, pid_t pid, struct buf *out);

// Whether a process or thread is gone, or a zombie.
bool finder_has_ended(const struct finder *finder, pid_t pid);
