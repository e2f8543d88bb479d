// SPDX-License-Identifier: MIT
#include "symbol/reader/assembly.h"

#include <stdint.h>
#include <string.h>

#include <gelf.h>

#define NAMES_SECTION 1

// Every file made here has this string table of section names.
static const char names[] = "\0.shstrtab\0.debug_info\0.debug_abbrev\0.debug_line\0.debug_str\0"
                            ".debug_line_str\0.debug_str_offsets\0.debug_addr\0.debug_ranges\0"
                            ".debug_rnglists\0.debug_types\0.gnu_debugaltlink";

static size_t name_at(const char *name)
{
    for (size_t at = 1; at < sizeof names; at += strlen(names + at) + 1)
        if (strcmp(names + at, name) == 0)
            return at;
    return 0;
}

static void add(Elf *assembly, size_t name, uint32_t type, const void *bytes, size_t size)
{
    GElf_Shdr header;
    Elf_Scn *section = elf_newscn(assembly);
    Elf_Data *data = section ? elf_newdata(section) : NULL;
    if (!data || !gelf_getshdr(section, &header))
        return;
    data->d_buf = (void *)(uintptr_t)bytes; // it is never written to
    data->d_size = size;
    data->d_type = ELF_T_BYTE;
    data->d_align = 1;
    header.sh_name = (GElf_Word)name;
    header.sh_type = type;
    header.sh_size = size;
    gelf_update_shdr(section, &header);
}

Elf *assembly_begin(Elf *like)
{
    GElf_Ehdr header;
    Elf *assembly = gelf_getehdr(like, &header) ? elf_clone(like, ELF_C_EMPTY) : NULL;
    if (!assembly)
        return NULL;
    header.e_shoff = header.e_phoff = 0;
    header.e_shnum = header.e_phnum = 0;
    header.e_shstrndx = NAMES_SECTION;
    if (!gelf_newehdr(assembly, ELFCLASS64) || !gelf_update_ehdr(assembly, &header)) {
        elf_end(assembly);
        return NULL;
    }
    add(assembly, name_at(".shstrtab"), SHT_STRTAB, names, sizeof names);
    return assembly;
}

bool assembly_knows(const char *name)
{
    return name_at(name);
}

void assembly_add(Elf *assembly, const char *name, const void *bytes, size_t size)
{
    size_t at = name_at(name);
    if (at && size)
        add(assembly, at, SHT_PROGBITS, bytes, size);
}
