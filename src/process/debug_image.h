// SPDX-License-Identifier: MIT
// The separate debug file of a module, for the unwind tables that were split off with the symbols.
#pragma once

#include <sys/types.h>

#include "process/module.h"

// By build id, beside the binary, by .gnu_debuglink; as the process sees the paths, then as we do.
// NULL: there is none of exactly this build that has a .debug_frame, or not within two seconds. The
// caller frees it.
struct image *debug_image_open(const struct module *module, pid_t pid);
