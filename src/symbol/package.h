// SPDX-License-Identifier: MIT
// Which package would bring the debug information of a file.
#pragma once

#include "process/module.h"

// "libfoo1-dbgsym", by what dpkg has noted of installed files; NULL when it knows nothing of the
// file, there is no dpkg, or the target's file is another one than ours. The caller frees it.
char *package_with_symbols(const struct module *module);
