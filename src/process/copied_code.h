// SPDX-License-Identifier: MIT
// Code in anonymous memory that is a copy of a file's text: some servers move their text onto huge
// pages, some optimizers onto pages of their own.
#pragma once

#include "process/module_file.h"

// Returns the mapping of the file of whose code lines[at], an executable line of maps, is a copy.
// The files mapped nearest to it are compared with it. NULL means that none was equal.
const struct mapping *copied_code_find(struct modules *modules, const struct mapped *lines,
                                       size_t count, size_t at);
