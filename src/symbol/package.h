// SPDX-License-Identifier: MIT
// Finds the package that has the debug information of a file.
#pragma once

#include "process/module.h"

// Returns "libfoo1-dbgsym", say, according to dpkg's lists of installed files. Returns NULL when no
// list has the file, there is no dpkg, or the target's file is not the one that we see under its
// path. The caller frees the name.
char *package_with_symbols(const struct module *module);
