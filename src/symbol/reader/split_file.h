// SPDX-License-Identifier: MIT
// A file with one split unit (.dwo), where its skeleton says that it lies. libdw would find it too,
// but cannot read what is packed with zstd, and keeps all that it has read to the end.
#pragma once

#include <elfutils/libdw.h>

#include "symbol/reader/split_package.h"

struct split_file;

// directory: where the compiler ran. NULL: there is no such file, or it holds no unit.
struct split_file *split_file_open(Dwarf_Die *skeleton, const char *directory);
void split_file_close(struct split_file *file);

const struct split_package *split_file_package(const struct split_file *file);
