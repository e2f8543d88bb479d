// SPDX-License-Identifier: MIT
// Unpacks compressed sections. libelf would do that too, but with zlib, which takes three times as
// long as libdeflate; and the libelf of Debian 12 does not support zstd.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

bool unpack_is_needed(Elf_Scn *section);

// Returns the unpacked bytes of such a section, which the caller frees; NULL when it is damaged or
// has more than `limit` bytes.
unsigned char *unpack_section(Elf_Scn *section, uint64_t limit, size_t *size);
