// SPDX-License-Identifier: MIT
// What permission.c judges by: ourselves and the target as /proc shows them. Private to it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "process/procfs.h"

#define CAP_BIT_SYS_PTRACE (1ull << 19) // CAP_SYS_PTRACE in a set of capabilities

struct facts {
    const char *proc; // borrowed
    pid_t pid;
    bool mounted; // there is a /proc at all
    bool exists;
    struct proc_status self, target;
    uint64_t self_permitted, self_bounding, target_permitted; // sets of capabilities
    bool initial_userns; // we are in the first user namespace: our capabilities reach everything
    // Following /proc/PID/ns/user needs the very access that tracing needs, but for Yama: when it
    // can be read, the kernel has no objection by user id, dumpability or capabilities.
    bool readable;
    bool same_userns; // as ours, when readable
    bool capable;     // CAP_SYS_PTRACE, and it reaches the target
};

void facts_gather(struct facts *facts, const char *proc, pid_t pid);

// A file of /proc/PID, or of /proc/self with pid 0.
enum rc facts_read(const struct facts *facts, struct buf *text, pid_t pid, const char *name)
    MUST_CHECK;
bool facts_link(const struct facts *facts, const char *who, const char *name, char to[128]);

// The escaped name of a process, "?" when it cannot be read.
void facts_comm(const struct facts *facts, pid_t pid, char *name, size_t size);

// Whether `wanted` is `from`, its parent, and so on; or its tracer, and the tracer's tracer.
bool facts_descends(const struct facts *facts, pid_t from, pid_t wanted);
bool facts_is_traced_by(const struct facts *facts, pid_t from, pid_t wanted);
