// SPDX-License-Identifier: MIT
// A whole ELF file as an image, for the symbol process. It is mapped, so that only what is read
// takes memory. Its owner may truncate it, and then the process that reads it dies of SIGBUS.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "process/image.h"

struct elf_file {
    struct image *image; // NULL: none
    void *bytes;
    size_t size;
    bool mapped; // false: allocated by malloc
};

// Owns fd from then on (on failure it is closed). RC_FORMAT: it is not an ELF file of this machine.
enum rc elf_file_map(int fd, struct elf_file *file, struct err *err) MUST_CHECK;

// Uncompresses the file (xz) in .gnu_debugdata of `from`; returns false when there is none.
bool elf_file_unpack(const struct elf_file *from, struct elf_file *file);

void elf_file_fini(struct elf_file *file);

// These return whether the file has DWARF, and whether it has symbols beyond .dynsym.
bool elf_file_has_dwarf(const struct elf_file *file);
bool elf_file_has_symbols(const struct elf_file *file);
