// SPDX-License-Identifier: MIT
// Compressed sections. libelf would unpack them too, with zlib, which takes three times as long as
// libdeflate; and that of Debian 12 does not know zstd.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

bool unpack_is_needed(Elf_Scn *section);

// The bytes of such a section, which the caller frees; NULL: damaged, or more than `limit` of them.
unsigned char *unpack_section(Elf_Scn *section, uint64_t limit, size_t *size);
