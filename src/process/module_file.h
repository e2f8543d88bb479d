// SPDX-License-Identifier: MIT
// For module.c and space.c: from a line of maps to the file behind it.
#pragma once

#include "process/module.h"
#include "process/procfs.h"

struct mapped { // an executable line of maps, and who has it
    pid_t tid;
    struct proc_map *map;
    uint64_t base; // where the beginning of the file is mapped; 0: nowhere
    struct jit *jit;
};

// The mapping of such a line; modules and images are made as needed. Changes map->path
// (" (deleted)" goes).
const struct mapping *modules_map(struct modules *modules, const struct mapped *mapped);

// The module of a line that is a file's, code or data.
struct module *modules_file(struct modules *modules, const struct mapped *mapped);

// The mapping of such a line that shows the module from this file offset on.
const struct mapping *modules_mapping_of(struct modules *modules, struct module *module,
                                         const struct mapped *mapped, uint64_t offset);

// Opens the file that is really mapped: never another one of the same name. If it cannot be had,
// or has lost its section headers, what is loaded of it does; from_file: else that at once. Sets
// image, problem or both. False when the file was not asked, or did not answer within two seconds.
bool module_file_load(struct module *module, const struct mapped *mapped, bool from_file);
void module_vdso_load(struct module *module, const struct mapped *mapped);

bool module_file_is_exe(const struct module *module, pid_t tid);
