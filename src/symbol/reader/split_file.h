// SPDX-License-Identifier: MIT
// A file with one split unit (.dwo), at the path that its skeleton names. libdw would find it too,
// but that of Debian 12 cannot read zstd sections, and it keeps all that it has read to the end.
#pragma once

#include <elfutils/libdw.h>

#include "symbol/reader/split_package.h"

struct split_file;

// `directory` is the compilation directory. NULL: there is no such file, or it has no unit.
struct split_file *split_file_open(Dwarf_Die *skeleton, const char *directory);
void split_file_close(struct split_file *file);

const struct split_package *split_file_package(const struct split_file *file);
