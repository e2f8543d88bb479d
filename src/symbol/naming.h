// SPDX-License-Identifier: MIT
// Names that no file holds: system calls, code made at run time, entries of our own.
#pragma once

#include <stdint.h>

#include "process/module.h"

// A fresh string, NULL when the place has no name. *inside: the offset within what is named.
char *naming_of(const struct module *module, uint64_t offset, uint64_t *inside);
