// SPDX-License-Identifier: MIT
// What finding and walking allocators needs of a process: its memory, its mappings, and where its
// variables lie. Nothing of it is stopped or changed.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "heap/heap_view.h"
#include "process/module.h"
#include "process/regions.h"
#include "process/space.h"

struct heap_target {
    pid_t pid;
    pid_t tid;              // its first thread, or if that has ended one that has the memory still
    struct regions regions; // ascending; as of the last heap_target_refresh
    uint64_t readings;      // how often they were read
    struct heap_view view;
    struct modules *modules;
    struct space *space;
    char *program; // the path of its program, as maps tell it; NULL: not asked yet
};

// Checks whether the memory of the process can be read, and reads its mappings. Fails with RC_GONE,
// RC_DENIED, RC_FAIL (a 32-bit process), and says why as permission_explain does. The caller closes
// it.
enum rc heap_target_open(pid_t pid, bool swapped, struct heap_target **target,
                         struct err *err) MUST_CHECK;
void heap_target_close(struct heap_target *target);

// Reads the mappings again. RC_GONE: the process has ended or executed another program.
enum rc heap_target_refresh(struct heap_target *target) MUST_CHECK;

// Returns RC_GONE and says which of the two it was: the process has ended, or executed another
// program.
enum rc heap_target_gone(pid_t pid, struct err *err);

// Returns the mapping that holds the address, or NULL.
const struct proc_map *heap_target_region(const struct heap_target *target, uint64_t address);

// Returns whether a mapping is one of the program's own file.
bool heap_target_is_program(struct heap_target *target, const struct proc_map *map);

// Finds a variable by its name in the symbol table, in modules whose file name (without its
// directory) begins with `module`; NULL: in the executable. False when none has it.
bool heap_target_variable(struct heap_target *target, const char *module, const char *name,
                          uint64_t *address, uint64_t *size);

// Returns the raw name of the variable that holds an address, and the offset in it; NULL when there
// is none. Valid until the next call.
const char *heap_target_object(struct heap_target *target, uint64_t address, uint64_t *offset);
