// SPDX-License-Identifier: MIT
// A whole ELF file as an image, for the reader of names. It is mapped, so that only what is read of
// it takes memory; its owner may truncate it, and then the process that reads it dies.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "process/image.h"

struct elf_file {
    struct image *image; // NULL: none
    void *bytes;
    size_t size;
    bool mapped; // else from malloc
};

// Takes the descriptor (also on failure). RC_FORMAT when it is no ELF file of this machine.
enum rc elf_file_map(int fd, struct elf_file *file, struct err *err) MUST_CHECK;

// The file that is packed (xz) in the section .gnu_debugdata of `from`; false when there is none.
bool elf_file_unpack(const struct elf_file *from, struct elf_file *file);

void elf_file_fini(struct elf_file *file);

// The file holds source lines; or names of functions beyond those for the linker.
bool elf_file_has_dwarf(const struct elf_file *file);
bool elf_file_has_symbols(const struct elf_file *file);
