// SPDX-License-Identifier: MIT
// What the parts of wait_find_all share: the process, its threads, and tables of the machine that
// are read when they are first needed.
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "wait/lock.h"
#include "wait/wait.h"

struct finder {
    const struct wait_process *process;
    const char *proc;        // "/proc", except in tests
    const struct wait_thread *asking; // the thread whose wait is being described
    bool frozen;             // the process's cgroup is frozen
    bool same_namespace;     // the process is in our PID namespace: tids in its memory are ours
    bool nested; // not in the initial one: tids in shared memory may be another container's
    struct map by_inner_tid; // -> index of the thread
    struct lock *locks;      // [thread]; owned
    struct socket_table *sockets; // owned, NULL until needed
    struct peers *peers;          // owned, NULL until needed
    struct descriptors *descriptors; // described so far; owned, NULL until needed
};

void finder_init(struct finder *finder, const struct wait_process *process);
void finder_fini(struct finder *finder);

// Sets `frozen` and `nested`, which only texts need.
void finder_look_around(struct finder *finder);

// Reads memory that the asking thread's system call refers to: from the copy of its stack if it
// lies there, because a thread that has run meanwhile may have overwritten it; else from memory.
bool finder_read_given(const struct finder *finder, uint64_t address, void *to, size_t length);

bool finder_read(const struct finder *finder, uint64_t address, void *to, size_t length);

// Returns the thread with that tid in the process's own PID namespace, or WAIT_NOBODY.
size_t finder_thread(const struct finder *finder, uint32_t inner_tid);

// Returns "queue_lock+0x28", demangled and escaped; NULL when there is no symbol. The caller frees
// it.
char *finder_name_object(const struct finder *finder, uint64_t address);

// These append `4251 "worker"`, escaped: for a thread of the process, and for any process.
void finder_put_thread(const struct finder *finder, size_t thread, struct buf *out);
void finder_put_process(const struct finder *finder, pid_t pid, struct buf *out);

// Returns whether a process or thread is gone or a zombie.
bool finder_has_ended(const struct finder *finder, pid_t pid);
