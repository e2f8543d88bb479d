// SPDX-License-Identifier: MIT
// Code in memory that is no file's, but a copy of what a file has for that place: servers move
// their text onto huge pages, optimizers onto pages of their own.
#pragma once

#include "process/module_file.h"

// The mapping of the file's code that lines[at], an executable line of maps, has a copy of; NULL:
// it was not shown to be one. The files mapped around it are asked, and believed when what is there
// equals what they have for these addresses.
const struct mapping *copied_code_find(struct modules *modules, const struct mapped *lines,
                                       size_t count, size_t at);
