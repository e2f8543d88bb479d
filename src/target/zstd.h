// SPDX-License-Identifier: MIT
// Sections that are packed with zstd. elfutils unpacks them from 0.189 on; Debian 12 has 0.188.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

bool zstd_is_packed(Elf_Scn *section);

// The bytes of such a section, which the caller frees; NULL: damaged, or more than `limit` of them.
unsigned char *zstd_unpack(Elf_Scn *section, uint64_t limit, size_t *size);
