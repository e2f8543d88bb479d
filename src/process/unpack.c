// SPDX-License-Identifier: MIT
#include "process/unpack.h"

#include <gelf.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zstd.h>

#include "base/mem.h"

#ifndef ELFCOMPRESS_ZSTD // glibc has it since 2.37
#define ELFCOMPRESS_ZSTD 2
#endif

#define HUGE_PAGE (2ul << 20)
#define RATIO_MOST 64 // debug information compresses 3 to 10 times; zeros would, 1000 times

bool unpack_is_needed(Elf_Scn *section)
{
    GElf_Shdr header;
    return gelf_getshdr(section, &header) && header.sh_flags & SHF_COMPRESSED;
}

// Both functions return true when exactly `size` bytes were unpacked.
static bool unpack_zlib(const void *packed, size_t length, void *to, size_t size)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    bool good = decompressor && libdeflate_zlib_decompress(decompressor, packed, length, to, size,
                                                           NULL) == LIBDEFLATE_SUCCESS;
    libdeflate_free_decompressor(decompressor);
    return good;
}

static bool unpack_zstd(const void *packed, size_t length, void *to, size_t size)
{
    return ZSTD_decompress(to, size, packed, length) == size;
}

static bool (*const unpackers[])(const void *, size_t, void *, size_t) = {
    [ELFCOMPRESS_ZLIB] = unpack_zlib,
    [ELFCOMPRESS_ZSTD] = unpack_zstd,
};

// All of the memory will be written once, so huge pages save most of the page faults.
static void *allocate(size_t size)
{
    void *bytes = malloc(size);
    uintptr_t start = ((uintptr_t)bytes + HUGE_PAGE - 1) & -HUGE_PAGE;
    uintptr_t end = ((uintptr_t)bytes + size) & -HUGE_PAGE;
    if (bytes && start < end)
        madvise((void *)start, end - start, MADV_HUGEPAGE);
    return bytes;
}

unsigned char *unpack_section(Elf_Scn *section, uint64_t limit, size_t *size)
{
    GElf_Chdr head;
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf || data->d_size < sizeof(Elf64_Chdr) ||
        !gelf_getchdr(section, &head) || !head.ch_size || head.ch_size > limit ||
        head.ch_size / RATIO_MOST > data->d_size ||
        head.ch_type >= ARRAY_LENGTH(unpackers) || !unpackers[head.ch_type])
        return NULL;
    AUTO_FREE unsigned char *bytes = allocate(head.ch_size);
    if (!bytes || !unpackers[head.ch_type]((const char *)data->d_buf + sizeof(Elf64_Chdr),
                                           data->d_size - sizeof(Elf64_Chdr), bytes, head.ch_size))
        return NULL;
    *size = head.ch_size;
    return steal_ptr(&bytes);
}
