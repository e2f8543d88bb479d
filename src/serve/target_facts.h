// SPDX-License-Identifier: MIT
// What processes are told apart by: names of programs, users, services and containers, as the
// kernel has them.
#pragma once

#include <sys/types.h>

#include "base/buf.h"

// name, key in rules and in JSON, what it is
#define TARGET_FACTS(X)                                                                            \
    X(COMM, comm, "name of the main thread, 15 bytes at most")                                     \
    X(EXE, exe, "path of the program")                                                             \
    X(CMDLINE, cmdline, "arguments, separated by spaces; \"...\" where they are cut")              \
    X(USER, user, "name of the effective user, or the number")                                     \
    X(UNIT, unit, "of systemd: redis-server.service")                                              \
    X(CONTAINER, container, "ID of 64 hexadecimal digits")                                         \
    X(CGROUP, cgroup, "path in the unified hierarchy, or in that of memory")

enum target_fact {
#define X(name, key, text) TARGET_##name,
    TARGET_FACTS(X)
#undef X
    TARGET_FACT_COUNT
};

extern const char *const target_fact_keys[TARGET_FACT_COUNT];

struct target_facts { // raw texts, owned; "": it has none, or we may not know
#define X(name, key, text) char *key; // NULL: not read yet
    TARGET_FACTS(X)
#undef X
};

// Returns a fact, and reads it if it has not been read yet.
const char *target_facts_get(struct target_facts *facts, pid_t pid, enum target_fact fact);

// Reads those that have not been read.
void target_facts_read(struct target_facts *facts, pid_t pid);
void target_facts_fini(struct target_facts *facts);

// Reads the arguments of a process with the NULs behind them, empty if it has none or has ended:
// 128 KiB at most, because its owner can make them as long as its memory. Returns whether they are
// cut there.
bool target_facts_arguments(pid_t pid, struct buf *text);

// Find what a path of a cgroup says: the innermost service or scope, and the ID of a container. The
// caller frees the text, "": it says nothing of it.
char *target_facts_unit(const char *cgroup);
char *target_facts_container(const char *cgroup);
