// SPDX-License-Identifier: MIT
// Names that are in no file: system calls, code generated at run time, and entries of our own.
#pragma once

#include <stdint.h>

#include "process/module.h"

// Returns a fresh string, or NULL when the place has no name. *inside becomes the offset of the
// place within what is named.
char *naming_of(const struct module *module, uint64_t offset, uint64_t *inside);
