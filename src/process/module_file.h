// SPDX-License-Identifier: MIT
// Finds the file behind a line of maps; for module.c and space.c.
#pragma once

#include "process/module.h"
#include "process/procfs.h"

struct mapped { // an executable line of maps, and a thread of the process
    pid_t tid;
    struct proc_map *map;
    uint64_t base; // address at which file offset 0 is mapped; 0: nowhere
    struct jit *jit;
};

// Returns the mapping of such a line, and makes module and image as needed. Cuts " (deleted)" off
// map->path.
const struct mapping *modules_map(struct modules *modules, const struct mapped *mapped);

// Returns the module of a line that is mapped from a file, code or data.
struct module *modules_file(struct modules *modules, const struct mapped *mapped);

// Returns the mapping of such a line that shows the module from this file offset on.
const struct mapping *modules_mapping_of(struct modules *modules, struct module *module,
                                         const struct mapped *mapped, uint64_t offset);

// Opens the file that is mapped, never another one with the same path. If it cannot be opened, or
// has no section headers, the image is made of what is loaded of it; if from_file is false, that is
// done at once. Sets image, problem or both. Returns false when the file was not asked, or did not
// answer within two seconds.
bool module_file_load(struct module *module, const struct mapped *mapped, bool from_file);
void module_vdso_load(struct module *module, const struct mapped *mapped);

bool module_file_is_exe(const struct module *module, pid_t tid);
