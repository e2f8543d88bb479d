// SPDX-License-Identifier: MIT
// The facts about ourselves and the target, as /proc shows them, by which permission.c judges. Only
// permission.c and permission_cause.c use them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "process/procfs.h"

#define CAP_BIT_SYS_PTRACE (1ull << 19) // CAP_SYS_PTRACE in a set of capabilities

struct facts {
    const char *proc; // borrowed
    pid_t pid;
    bool mounted; // /proc exists
    bool exists;
    struct proc_status self, target;
    uint64_t self_permitted, self_bounding, target_permitted; // capability sets
    bool initial_userns; // we are in the initial user namespace: our capabilities reach everything
    // Reading the link /proc/PID/ns/user needs the same access as tracing does, except that Yama is
    // not asked. So when it can be read, user ids, dumpability and capabilities are no obstacle.
    bool readable;
    bool same_userns; // same user namespace as ours; valid when readable
    bool capable;     // we have CAP_SYS_PTRACE, and it reaches the target
};

void facts_gather(struct facts *facts, const char *proc, pid_t pid);

// Reads a file of /proc/PID; pid 0 means /proc/self.
enum rc facts_read(const struct facts *facts, struct buf *text, pid_t pid, const char *name)
    MUST_CHECK;
bool facts_link(const struct facts *facts, const char *who, const char *name, char to[128]);

// Writes the escaped name of a process, "?" when it cannot be read.
void facts_comm(const struct facts *facts, pid_t pid, char *name, size_t size);

// Returns whether `wanted` is `from`, one of its ancestors, its tracer, or the tracer's tracer.
bool facts_descends(const struct facts *facts, pid_t from, pid_t wanted);
bool facts_is_traced_by(const struct facts *facts, pid_t from, pid_t wanted);
