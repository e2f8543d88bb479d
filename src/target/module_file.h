// SPDX-License-Identifier: MIT
// For module.c and space.c: from a line of maps to the file behind it.
#pragma once

#include "target/module.h"
#include "target/procfs.h"

// The mapping of an executable line of maps; modules and images are made as needed. Changes
// map->path (" (deleted)" goes).
const struct mapping *modules_map(struct modules *modules, pid_t tid, struct proc_map *map);

// Opens the file that is really mapped: never another one of the same name. Sets image or problem.
void module_file_load(struct module *module, pid_t tid, const struct proc_map *map);
void module_vdso_load(struct module *module);

bool module_file_is_exe(const struct module *module, pid_t tid);
