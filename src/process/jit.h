// SPDX-License-Identifier: MIT
// The names of code that one process makes as it runs, as its JIT compilers tell them in
// /tmp/perf-PID.map: by node --perf-basic-prof, python -X perf, agents of the JVM and others. The
// file is found as the process sees it, believed only if its owner is the process's user or root
// and it was written since the process began, and read on as it grows.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct jit;

struct jit *jit_new(pid_t pid); // pid may be any thread of it
void jit_free(struct jit *jit);

// Reads some of what is new, if the last time was long enough ago. Returns how many names there
// were when code that was seen to run lost its memory to other code (perf_map_moved): what was
// sampled before keeps the names of then. SIZE_MAX: nothing of that kind.
size_t jit_refresh(struct jit *jit);

// The same for all that is new, if jit_refresh was ever called: at the end.
size_t jit_finish(struct jit *jit);

// Why there are no names, NULL if there are some. The caller frees it.
char *jit_problem(const struct jit *jit);

// As perf_map_find and perf_map_use.
const char *jit_find(const struct jit *jit, uint64_t address, size_t known, uint64_t *offset);
void jit_use(struct jit *jit, uint64_t address);
