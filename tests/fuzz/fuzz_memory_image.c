// SPDX-License-Identifier: MIT
// A file that is put together from memory of the target: headers, PT_DYNAMIC, hash tables. The
// input is that memory; what is made of it must be an ELF file that everything else can read.
#include "fuzz.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/mem.h"
#include "process/memory_image.h"
#include "symbol/reader/symtab.h"

#define BASE 0x7f0000000000u
#define SEED_BYTES (96u << 10)

struct memory {
    const uint8_t *bytes;
    size_t length;
};

static size_t read_input(void *context, uint64_t address, void *to, size_t length)
{
    const struct memory *memory = context;
    uint64_t at = address - BASE;
    if (at >= memory->length)
        return 0;
    size_t got = length < memory->length - at ? length : memory->length - (size_t)at;
    memcpy(to, memory->bytes + at, got);
    return got;
}

static void read_all(struct image *image)
{
    struct symtab *symtab = symtab_new((const struct image *const *)&image, 1);
    struct symtab_match match;
    char bytes[64];
    size_t size;
    for (size_t i = 0; i < image->headers.segment_count && i < 8; i++) {
        const struct segment *segment = &image->segments[i];
        for (uint64_t at = 0; at < segment->memory_size && at < 1u << 16; at += 97)
            symtab_find(symtab, segment->vaddr + at, &match);
        image_read(image, segment->offset, bytes, sizeof bytes);
    }
    if (image_debug_frame(image, &size) && !size)
        abort();
    symtab_free(symtab);
    image_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct memory memory = {bytes, length};
    struct memory_source source = {&memory, read_input};
    struct image *image;
    enum rc rc = memory_image_open(&source, BASE, &image, NULL);
    if (rc == RC_OK)
        read_all(image);
    else if (rc != RC_FORMAT)
        abort();
    if (memory_image_copy(&source, BASE, BASE + 8192, &image, NULL) == RC_OK)
        read_all(image);
    return 0;
}

// The first segments of a library of this process, with the DT_ pointers that ld.so has made
// absolute moved to where the input lies.
static int put_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct buf *out = context;
    (void)size;
    if (!strstr(info->dlpi_name, "/libz.so") && !strstr(info->dlpi_name, "/libm.so"))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        if (phdr->p_type == PT_LOAD && out->length < SEED_BYTES &&
            (phdr->p_flags & PF_R) && !(phdr->p_flags & PF_W))
            buf_append(out, (const void *)(info->dlpi_addr + phdr->p_vaddr), phdr->p_filesz);
    }
    if (out->length > SEED_BYTES)
        out->length = SEED_BYTES;
    return 1;
}

static void put_vdso(struct buf *out)
{
    const unsigned char *base = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    if (base)
        buf_append(out, base, 4096);
}

struct tiny { // one segment, addresses are offsets
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[2];
    Elf64_Dyn dynamic[6];
    Elf64_Sym symbols[3];
    uint32_t hash[4];     // DT_HASH: buckets, chains
    uint32_t gnu_hash[9]; // buckets, first, words, shift, filter (2), bucket, chain (2)
    char names[16];
};

static void put_tiny(struct buf *out, int64_t hash_tag)
{
    struct tiny tiny = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
                   .e_phoff = offsetof(struct tiny, phdrs), .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2},
        .phdrs = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof tiny,
                   .p_memsz = sizeof tiny},
                  {.p_type = PT_DYNAMIC, .p_vaddr = offsetof(struct tiny, dynamic),
                   .p_memsz = sizeof tiny.dynamic}},
        .dynamic = {{DT_SYMTAB, {BASE + offsetof(struct tiny, symbols)}},
                    {DT_STRTAB, {offsetof(struct tiny, names)}},
                    {DT_STRSZ, {sizeof tiny.names}},
                    {hash_tag, {hash_tag == DT_HASH ? offsetof(struct tiny, hash)
                                                    : offsetof(struct tiny, gnu_hash)}}},
        .symbols = {[1] = {.st_name = 1, .st_info = STT_FUNC, .st_shndx = 1, .st_size = 9},
                    [2] = {.st_name = 3, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 20}},
        .hash = {1, 3},
        .gnu_hash = {1, 1, 1, 6, 0, 0, 1, 2, 3},
        .names = "\0f\0main",
    };
    buf_append(out, &tiny, sizeof tiny);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    if (number == 0)
        dl_iterate_phdr(put_library, out);
    else if (number == 1)
        put_vdso(out);
    else if (number <= 5)
        put_tiny(out, number & 1 ? DT_HASH : DT_GNU_HASH);
    return number <= 5;
}
