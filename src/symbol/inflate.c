// SPDX-License-Identifier: MIT
#include "symbol/inflate.h"

#include <libdeflate.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "symbol/section.h"

#define PIECES_MAX 32
#define SIZE_MAX_TOTAL (4ull << 30) // bytes
#define RATIO_MAX 1100u             // no stream of this kind shrinks by more
#define ALIGNMENT 16u

struct piece { // a section that is copied
    char name[24];
    const unsigned char *bytes; // as they lie in the file
    uint64_t length, size;      // there, and unpacked
    uint64_t at;                // in the new file
    bool packed;
};

struct pieces {
    struct piece all[PIECES_MAX];
    size_t count, packed_count;
    uint64_t size; // of the new file so far
};

// What is read here of the sections that libdw knows.
static bool is_needed(const char *name)
{
    static const char *const needed[] = {
        ".debug_info",        ".debug_abbrev", ".debug_line",   ".debug_str",
        ".debug_line_str",    ".debug_addr",   ".debug_ranges", ".debug_rnglists",
        ".debug_str_offsets", ".debug_types",  ".debug_cu_index", ".gnu_debugaltlink",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(needed); i++)
        if (strcmp(name, needed[i]) == 0)
            return true;
    return false;
}

static void place(struct pieces *pieces, uint64_t *at, uint64_t size)
{
    *at = (pieces->size + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
    pieces->size = *at + size;
}

// False when the section cannot be taken.
static bool add(struct pieces *pieces, const struct elf_file *from, const struct section *section,
                const char *name)
{
    const GElf_Shdr *header = &section->header;
    struct piece piece = {.length = header->sh_size, .size = header->sh_size};
    Elf64_Chdr packed;
    if (pieces->count == PIECES_MAX || header->sh_offset > from->size ||
        header->sh_size > from->size - header->sh_offset)
        return false;
    piece.bytes = (const unsigned char *)from->bytes + header->sh_offset;
    piece.packed = header->sh_flags & SHF_COMPRESSED;
    if (piece.packed && piece.length > sizeof packed) {
        memcpy(&packed, piece.bytes, sizeof packed);
        piece.bytes += sizeof packed;
        piece.length -= sizeof packed;
        piece.size = packed.ch_type == ELFCOMPRESS_ZLIB ? packed.ch_size : UINT64_MAX;
    }
    if (piece.size > SIZE_MAX_TOTAL || piece.size / RATIO_MAX > piece.length)
        return false;
    strncpy(piece.name, name, sizeof piece.name - 1);
    place(pieces, &piece.at, piece.size);
    pieces->packed_count += piece.packed;
    pieces->all[pieces->count++] = piece;
    return pieces->size <= SIZE_MAX_TOTAL;
}

static bool collect(struct pieces *pieces, const struct elf_file *from)
{
    struct section section = {0};
    size_t names_at;
    if (elf_getshdrstrndx(from->image->elf, &names_at) != 0)
        return false;
    struct names names = names_read(from->image, names_at);
    while (section_next(from->image, &section)) {
        const char *name = names_get(&names, section.header.sh_name);
        if (name && section.header.sh_type == SHT_PROGBITS && is_needed(name) &&
            !add(pieces, from, &section, name))
            return false;
    }
    return pieces->packed_count > 0;
}

static bool fill(const struct pieces *pieces, unsigned char *file)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    bool good = decompressor;
    for (size_t i = 0; good && i < pieces->count; i++) {
        const struct piece *piece = &pieces->all[i];
        if (!piece->packed)
            memcpy(file + piece->at, piece->bytes, piece->size);
        else // without room for the length it had: it has to be all of it
            good = libdeflate_zlib_decompress(decompressor, piece->bytes, piece->length,
                                              file + piece->at, piece->size,
                                              NULL) == LIBDEFLATE_SUCCESS;
    }
    libdeflate_free_decompressor(decompressor);
    return good;
}

// The first name is empty, the last that of the table of names itself.
static void describe(const struct pieces *pieces, const GElf_Ehdr *original, unsigned char *file,
                     uint64_t names_at, uint64_t headers_at)
{
    static const char own_name[] = ".shstrtab";
    Elf64_Ehdr header = *original;
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(file + headers_at);
    uint64_t end = 1;
    header.e_phoff = header.e_phnum = 0;
    header.e_shoff = headers_at;
    header.e_shentsize = sizeof *sections;
    header.e_shnum = (Elf64_Half)(pieces->count + 2);
    header.e_shstrndx = (Elf64_Half)(pieces->count + 1);
    memcpy(file, &header, sizeof header);
    for (size_t i = 0; i <= pieces->count; i++) {
        const struct piece *piece = i < pieces->count ? &pieces->all[i] : NULL;
        const char *name = piece ? piece->name : own_name;
        sections[i + 1] = (Elf64_Shdr){
            .sh_name = (Elf64_Word)end,
            .sh_type = piece ? SHT_PROGBITS : SHT_STRTAB,
            .sh_offset = piece ? piece->at : names_at,
            .sh_size = piece ? piece->size : end + sizeof own_name,
            .sh_addralign = 1,
        };
        memcpy(file + names_at + end, name, strlen(name) + 1);
        end += strlen(name) + 1;
    }
}

bool inflate_dwarf(const struct elf_file *from, struct elf_file *file)
{
    struct pieces pieces = {.size = sizeof(Elf64_Ehdr)};
    uint64_t names_at, headers_at;
    GElf_Ehdr header;
    *file = (struct elf_file){0};
    if (!gelf_getehdr(from->image->elf, &header) || !collect(&pieces, from))
        return false;
    place(&pieces, &names_at, (PIECES_MAX + 2) * sizeof pieces.all[0].name);
    place(&pieces, &headers_at, (pieces.count + 2) * sizeof(Elf64_Shdr));
    void *bytes = mmap(NULL, pieces.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    if (bytes == MAP_FAILED)
        return false;
    *file = (struct elf_file){.bytes = bytes, .size = pieces.size, .mapped = true};
    if (fill(&pieces, bytes)) {
        describe(&pieces, &header, bytes, names_at, headers_at);
        if (image_wrap(bytes, pieces.size, &file->image, NULL) == RC_OK)
            return true;
    }
    elf_file_fini(file);
    return false;
}
