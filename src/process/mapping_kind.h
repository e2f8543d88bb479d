// SPDX-License-Identifier: MIT
// What each mapping of a process is for, as far as maps and the stack pointers of threads tell.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/procfs.h"

// name, key, words for people
#define MAPPING_KINDS(X)                                                                           \
    X(HEAP, "heap", "heap (brk)")                                                                  \
    X(ANONYMOUS, "anonymous", "anonymous")                                                         \
    X(THREAD_STACKS, "thread_stacks", "thread stacks")                                             \
    X(MAIN_STACK, "main_stack", "main stack")                                                      \
    X(LIBRARIES, "libraries", "program, libraries")                                                \
    X(FILE, "file", "files")                                                                       \
    X(SHARED, "shared", "shared memory")                                                           \
    X(GENERATED_CODE, "generated_code", "generated code")                                          \
    X(KERNEL, "kernel", "vdso")

enum mapping_kind {
#define X(name, key, words) MAPPING_##name,
    MAPPING_KINDS(X)
#undef X
    MAPPING_KIND_COUNT
};

struct mapping_kind_row {
    const char *key, *words;
};
extern const struct mapping_kind_row mapping_kind_rows[MAPPING_KIND_COUNT];

struct stack_points { // zeroed before its first use
    uint64_t *list;   // stack pointers of threads that sleep, ascending; owned
    size_t count, capacity;
    size_t unknown;      // other threads, the first one left out: they run, or may not be asked
    uint64_t stack_size; // of a new thread's stack unless the program chose another; 0: not known
};

// Asks each thread where its stack is, as its last system call left it; stops none. Replaces the
// contents.
enum rc stack_points_read(struct stack_points *points, pid_t pid) MUST_CHECK;
void stack_points_fini(struct stack_points *points);

struct mapping_use { // what one mapping is
    enum mapping_kind kind;
    uint32_t file; // mappings of one file have one number
};

struct mapping_stacks { // of threads but the first one
    size_t found;    // whose stack pointer lies in the mapping
    size_t by_size;  // of threads that run: as large as others and above a guard page, too
};

// Says it of all mappings, which ascend. A thread's stack is a mapping above a guard page; the
// guard belongs to it. Elsewhere (goroutines, coroutines, a stack inside another mapping) a stack
// is part of what it lies in.
struct mapping_stacks mapping_kinds(const struct proc_map *list, size_t count,
                                    const struct stack_points *points, struct mapping_use *uses);
