// SPDX-License-Identifier: MIT
// The separate debug file of a module, for unwind tables that stripping moved there.
#pragma once

#include <sys/types.h>

#include "process/module.h"

// Looks for the debug file by build id, beside the binary, and by .gnu_debuglink; each path first
// as the process sees it, then as we do. Returns NULL when there is no file of exactly this build
// that has a .debug_frame, or none was found within two seconds. The caller frees the image.
struct image *debug_image_open(const struct module *module, pid_t pid);
