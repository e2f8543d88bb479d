// SPDX-License-Identifier: MIT
// An ELF file in memory, made only for libdw: its sections lie anywhere in memory, cut out of a
// DWARF package (.dwp) or uncompressed by us.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libelf.h>

// Begins an empty file for the machine of `like`, an ELF file that must outlive it. Returns NULL
// when libelf fails. The caller ends it with elf_end.
Elf *assembly_begin(Elf *like);

// Returns whether a section of that name is of use to us.
bool assembly_knows(const char *name);

// Adds such a section under its standard name, unless it is empty. The bytes must outlive the file.
void assembly_add(Elf *assembly, const char *name, const void *bytes, size_t size);
