// SPDX-License-Identifier: MIT
// The sections of an ELF file, read without trusting any value of its headers: damaged sections are
// left out. All pointers that are returned live as long as it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gelf.h>

struct section {
    Elf_Scn *handle;
    GElf_Shdr header;
};

struct string_table { // every text that begins below `size` has its NUL inside
    const char *text;
    size_t size;
};

// section_get finds the section with that number. section_next finds the one after `section` (start
// with {0}). They return false when there is none.
bool section_get(Elf *elf, size_t number, struct section *section);
bool section_next(Elf *elf, struct section *section);

// Finds the first section of a type that, unless name is NULL, also has that name.
bool section_find(Elf *elf, uint32_t type, const char *name,
                  struct section *section);

// Returns the contents in native byte order, NULL when they are incomplete or beyond `limit`.
Elf_Data *section_data(const struct section *section, uint64_t limit);

struct contents { // uncompressed contents of a section; all members 0: none
    const unsigned char *bytes;
    size_t size;
    unsigned char *owned; // NULL, or what the caller frees
};

// Returns false when the contents are damaged or larger than `limit`.
bool section_unpack(const struct section *section, uint64_t limit, struct contents *contents);

// Returns the string table in that section, or an empty one.
struct string_table string_table_read(Elf *elf, size_t section);

// Returns the names of the sections, for header.sh_name.
struct string_table section_names(Elf *elf);

// Returns the text at an offset, NULL when the offset is out of range.
const char *string_table_get(const struct string_table *names, uint64_t offset);
