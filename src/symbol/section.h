// SPDX-License-Identifier: MIT
// The sections of an image, read so that no value of its headers is believed: what is damaged is
// left out. All pointers handed out live as long as the image.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gelf.h>

#include "process/image.h"

struct section {
    Elf_Scn *handle;
    GElf_Shdr header;
};

struct string_table { // a string table; every text that begins below `size` has its NUL inside
    const char *text;
    size_t size;
};

// The section with that number, or after `section` (start with {0}); false when there is none.
bool section_get(const struct image *image, size_t number, struct section *section);
bool section_next(const struct image *image, struct section *section);

// The first section of a type; with a name, also of that name.
bool section_find(const struct image *image, uint32_t type, const char *name,
                  struct section *section);

// Its contents in the machine's byte order, NULL when they are not all there or more than `limit`.
Elf_Data *section_data(const struct section *section, uint64_t limit);

struct contents { // of a section, unpacked; all 0: none
    const unsigned char *bytes;
    size_t size;
    unsigned char *owned; // NULL, or what the caller frees
};

// False when they are damaged, or more than `limit`.
bool section_unpack(const struct section *section, uint64_t limit, struct contents *contents);

// The string table in that section; empty when it is none.
struct string_table string_table_read(const struct image *image, size_t section);

// The text at an offset, NULL when the offset lies outside.
const char *string_table_get(const struct string_table *names, uint64_t offset);
