// SPDX-License-Identifier: MIT
// Compressed debug sections, unpacked before libdw sees them. libdw would unpack them itself, with
// zlib, which takes three times as long; of libc's debug file that is most of what a lookup costs.
#pragma once

#include <stdbool.h>

#include "symbol/elf_file.h"

// Puts what is needed of the DWARF of `from` into a file of its own, in memory. False when nothing
// there is compressed, or not with zlib, or it is damaged: libdw is to see it as it is.
bool inflate_dwarf(const struct elf_file *from, struct elf_file *file);
