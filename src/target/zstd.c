// SPDX-License-Identifier: MIT
#include "target/zstd.h"

#include <gelf.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"

#ifndef ELFCOMPRESS_ZSTD // glibc knows it from 2.37 on
#define ELFCOMPRESS_ZSTD 2
#endif

bool zstd_is_packed(Elf_Scn *section)
{
    GElf_Shdr header;
    GElf_Chdr packed;
    return gelf_getshdr(section, &header) && header.sh_flags & SHF_COMPRESSED &&
           gelf_getchdr(section, &packed) && packed.ch_type == ELFCOMPRESS_ZSTD;
}

// What comes out must be what the header promises, neither more nor less.
unsigned char *zstd_unpack(Elf_Scn *section, uint64_t limit, size_t *size)
{
    GElf_Chdr packed;
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf || data->d_size < sizeof(Elf64_Chdr) ||
        !gelf_getchdr(section, &packed) || !packed.ch_size || packed.ch_size > limit)
        return NULL;
    AUTO_FREE unsigned char *bytes = malloc(packed.ch_size);
    if (!bytes || ZSTD_decompress(bytes, packed.ch_size,
                                  (const char *)data->d_buf + sizeof(Elf64_Chdr),
                                  data->d_size - sizeof(Elf64_Chdr)) != packed.ch_size)
        return NULL;
    *size = packed.ch_size;
    return steal_ptr(&bytes);
}
