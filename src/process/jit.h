// SPDX-License-Identifier: MIT
// Names of code that a process generates at run time, as JIT compilers write them to
// /tmp/perf-PID.map: node --perf-basic-prof, python -X perf, agents of the JVM and others. The file
// is looked up in the process's own file system. It is used only if it belongs to the process's
// user or to root and was written since the process started. It is read on as it grows.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct jit;

struct jit *jit_new(pid_t pid); // pid may be any thread of the process
void jit_free(struct jit *jit);

// Reads some of what was appended, unless the last read was too recent. When code that was seen to
// run has since been overwritten by other code (perf_map_moved), returns the number of names that
// there were before: what was sampled until now keeps those names. Otherwise returns SIZE_MAX.
size_t jit_refresh(struct jit *jit);

// Does the same for all of the rest at the end of a run, if jit_refresh was ever called.
size_t jit_finish(struct jit *jit);

// Returns why there are no names, or NULL if there are some. The caller frees it.
char *jit_problem(const struct jit *jit);

// These do what perf_map_find and perf_map_use do.
const char *jit_find(const struct jit *jit, uint64_t address, size_t known, uint64_t *offset);
void jit_use(struct jit *jit, uint64_t address);
