// SPDX-License-Identifier: MIT
// An ELF file of the target, and all that is read of it: segments, build id, sections, symbols, PLT
// stubs, mangled names. Behind the first byte, which says whether the file lies in memory.
#include "fuzz.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "process/image.h"
#include "symbol/reader/demangle.h"
#include "symbol/reader/symtab.h"

#define LOOKUPS 400 // of addresses in one segment

static void require(bool good)
{
    if (!good)
        abort();
}

static void look_up(const struct image *image, const struct symtab *symtab,
                    const struct segment *segment)
{
    uint64_t step = segment->memory_size / LOOKUPS + 1, back;
    for (uint64_t i = 0; i < LOOKUPS && i * step < segment->memory_size; i++) {
        struct symtab_match match;
        uint64_t vaddr = segment->vaddr + i * step;
        if (image_offset(image, vaddr, &back))
            image_vaddr(image, back, &back);
        if (symtab_find(symtab, vaddr, &match))
            free(demangle(match.name));
    }
}

static void read_all(struct image *image)
{
    size_t size;
    char text[2 * BUILD_ID_MAX + 1], byte[64];
    image_build_id_hex(image, text);
    require(strlen(text) == 2 * image->headers.build_id_length);
    require(!image_read(image, image->size, byte, 1));
    image_read(image, image->headers.eh_frame, byte, sizeof byte);
    image_read(image, image->headers.eh_frame_hdr, byte, sizeof byte);
    require(!image_debug_frame(image, &size) || size);
    struct symtab *symtab = symtab_new((const struct image *const *)&image, 1);
    for (size_t i = 0; i < image->headers.segment_count && i < 8; i++)
        look_up(image, symtab, &image->segments[i]);
    symtab_free(symtab);
}

static enum rc open_copy(const uint8_t *bytes, size_t length, struct image **image)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    return image_open(fd, image, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct image *image;
    if (!length)
        return 0;
    enum rc rc = bytes[0] & 1 ? image_wrap(bytes + 1, length - 1, &image, NULL)
                              : open_copy(bytes + 1, length - 1, &image);
    require(rc == RC_OK || rc == RC_FORMAT);
    if (rc != RC_OK)
        return 0;
    read_all(image);
    image_free(image);
    return 0;
}

// --- a small file with one of everything

static const char names[] = "\0main\0_ZN3foo3barEi\0_RNvC1a4main\0puts\0.text\0.plt\0.rela.plt\0"
                            ".symtab\0.strtab\0.dynsym\0.eh_frame\0.debug_frame";

struct tiny { // addresses are offsets
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    struct {
        Elf64_Nhdr header;
        char name[4];
        unsigned char id[20];
    } note;
    unsigned char text[64];
    unsigned char plt[32];
    unsigned char eh_frame[64];
    struct {
        Elf64_Chdr header;
        unsigned char bytes[64]; // of a zlib stream
    } debug_frame;
    uint64_t slots[2];
    Elf64_Sym symbols[5];
    Elf64_Rela relocations[1];
    char names[sizeof names];
    Elf64_Shdr sections[9];
};

#define AT(member) offsetof(struct tiny, member)
#define SIZE(member) sizeof((struct tiny *)0)->member

static uint32_t name_at(const char *name)
{
    return (uint32_t)((const char *)memmem(names, sizeof names, name, strlen(name) + 1) - names);
}

static Elf64_Sym symbol(const char *name, unsigned char info, uint16_t section, uint64_t value,
                        uint64_t size)
{
    return (Elf64_Sym){.st_name = name_at(name),
                       .st_info = info,
                       .st_shndx = section,
                       .st_value = value,
                       .st_size = size};
}

static Elf64_Shdr section(const char *name, uint32_t type, uint64_t flags, uint64_t at,
                          uint64_t size, uint32_t link, uint64_t entry)
{
    return (Elf64_Shdr){.sh_name = name_at(name),
                        .sh_type = type,
                        .sh_flags = flags,
                        .sh_addr = at,
                        .sh_offset = at,
                        .sh_size = size,
                        .sh_link = link,
                        .sh_addralign = 8,
                        .sh_entsize = entry};
}

enum { NONE, TEXT, PLT, RELOCATIONS, SYMBOLS, NAMES, DYNAMIC, EH_FRAME, DEBUG_FRAME };

static void fill_sections(struct tiny *tiny)
{
    const uint64_t code = SHF_ALLOC | SHF_EXECINSTR, symbol_size = sizeof(Elf64_Sym);
    Elf64_Shdr *to = tiny->sections;
    to[TEXT] = section(".text", SHT_PROGBITS, code, AT(text), SIZE(text), 0, 0);
    to[PLT] = section(".plt", SHT_PROGBITS, code, AT(plt), SIZE(plt), 0, 16);
    to[RELOCATIONS] = section(".rela.plt", SHT_RELA, SHF_ALLOC, AT(relocations), SIZE(relocations),
                              DYNAMIC, sizeof(Elf64_Rela));
    to[SYMBOLS] =
        section(".symtab", SHT_SYMTAB, 0, AT(symbols), SIZE(symbols), NAMES, symbol_size);
    to[NAMES] = section(".strtab", SHT_STRTAB, 0, AT(names), SIZE(names), 0, 0);
    to[DYNAMIC] = section(".dynsym", SHT_DYNSYM, SHF_ALLOC, AT(symbols), SIZE(symbols), NAMES,
                          symbol_size);
    to[EH_FRAME] =
        section(".eh_frame", SHT_PROGBITS, SHF_ALLOC, AT(eh_frame), SIZE(eh_frame), 0, 0);
    to[DEBUG_FRAME] = section(".debug_frame", SHT_PROGBITS, SHF_COMPRESSED, AT(debug_frame),
                              SIZE(debug_frame), 0, 0);
    uLongf room = sizeof tiny->debug_frame.bytes;
    require(compress(tiny->debug_frame.bytes, &room, (const Bytef *)names, 48) == Z_OK);
    to[DEBUG_FRAME].sh_size = sizeof(Elf64_Chdr) + room;
    tiny->debug_frame.header = (Elf64_Chdr){.ch_type = ELFCOMPRESS_ZLIB, .ch_size = 48,
                                            .ch_addralign = 1};
}

static void fill_symbols(struct tiny *tiny)
{
    const unsigned char function = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    tiny->symbols[1] = symbol("main", function, TEXT, AT(text), 32);
    tiny->symbols[2] = symbol("_ZN3foo3barEi", function, TEXT, AT(text) + 8, 8);
    tiny->symbols[3] = symbol("_RNvC1a4main", STB_LOCAL, TEXT, AT(text) + 40, 0);
    tiny->symbols[4] = symbol("puts", function, SHN_UNDEF, 0, 0);
    tiny->relocations[0] = (Elf64_Rela){.r_offset = AT(slots),
                                        .r_info = ELF64_R_INFO(4, R_X86_64_JUMP_SLOT)};
    const unsigned char jump[] = {0xff, 0x25}; // jmp *slots(%rip)
    uint32_t distance = AT(slots) - (AT(plt) + 16 + 6);
    memcpy(tiny->plt + 16, jump, sizeof jump);
    memcpy(tiny->plt + 18, &distance, sizeof distance);
}

static void fill_headers(struct tiny *tiny)
{
    const unsigned char ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    tiny->header = (Elf64_Ehdr){.e_type = ET_DYN,
                                .e_machine = EM_X86_64,
                                .e_version = EV_CURRENT,
                                .e_phoff = AT(segments),
                                .e_shoff = AT(sections),
                                .e_ehsize = sizeof(Elf64_Ehdr),
                                .e_phentsize = sizeof(Elf64_Phdr),
                                .e_phnum = ARRAY_LENGTH(tiny->segments),
                                .e_shentsize = sizeof(Elf64_Shdr),
                                .e_shnum = ARRAY_LENGTH(tiny->sections),
                                .e_shstrndx = NAMES};
    memcpy(tiny->header.e_ident, ident, sizeof ident);
    tiny->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                     .p_flags = PF_R | PF_X,
                                     .p_filesz = sizeof *tiny,
                                     .p_memsz = sizeof *tiny + 64,
                                     .p_align = 4096};
    tiny->segments[1] = (Elf64_Phdr){.p_type = PT_NOTE,
                                     .p_offset = AT(note),
                                     .p_vaddr = AT(note),
                                     .p_filesz = SIZE(note),
                                     .p_memsz = SIZE(note),
                                     .p_align = 4};
    tiny->segments[2] = (Elf64_Phdr){.p_type = PT_GNU_EH_FRAME,
                                     .p_offset = AT(eh_frame),
                                     .p_vaddr = AT(eh_frame),
                                     .p_filesz = 12,
                                     .p_memsz = 12};
    tiny->note.header = (Elf64_Nhdr){4, sizeof tiny->note.id, NT_GNU_BUILD_ID};
    memcpy(tiny->note.name, "GNU", 4);
    memcpy(tiny->names, names, sizeof names);
}

// The vdso is a whole ELF file that every process has at hand.
static void put_vdso(struct buf *out)
{
    const unsigned char *base = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr header;
    if (!base)
        return;
    memcpy(&header, base, sizeof header);
    buf_append(out, base, header.e_shoff + (size_t)header.e_shnum * header.e_shentsize);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    struct tiny tiny = {0};
    if (number >= 6)
        return false;
    buf_putc(out, (char)(number & 1));
    if (number >= 4) {
        put_vdso(out);
        return true;
    }
    fill_headers(&tiny);
    fill_sections(&tiny);
    fill_symbols(&tiny);
    buf_append(out, &tiny, sizeof tiny);
    return true;
}
