// SPDX-License-Identifier: MIT
// An ELF file for libdw alone, put together from sections that lie anywhere in memory: cut out of a
// package of split units, or unpacked by us.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libelf.h>

// like: an ELF file of the same machine, which must outlive the new one. NULL: libelf refuses. The
// caller ends it with elf_end.
Elf *assembly_begin(Elf *like);

// Whether a section of that name is of use to us.
bool assembly_knows(const char *name);

// Adds such a section, under its plain name; nothing when it is empty. The bytes must outlive the
// file.
void assembly_add(Elf *assembly, const char *name, const void *bytes, size_t size);
