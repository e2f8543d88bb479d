// SPDX-License-Identifier: MIT
#include "symbol/reader/debug_sections.h"

#include <stdlib.h>

#include "process/unpack.h"
#include "symbol/reader/assembly.h"
#include "symbol/reader/section.h"

#define SECTION_MAX (2ull << 30) // bytes

static bool needs_us(Elf *elf)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));)
        if (unpack_is_needed(section))
            return true;
    return false;
}

static void take(struct debug_sections *sections, const struct section *section, const char *name)
{
    struct contents contents;
    if (section->header.sh_type != SHT_PROGBITS || !assembly_knows(name) ||
        sections->count == DEBUG_SECTIONS_MAX ||
        !section_unpack(section, SECTION_MAX, &contents))
        return;
    sections->unpacked[sections->count++] = contents.owned;
    assembly_add(sections->assembly, name, contents.bytes, contents.size);
}

Elf *debug_sections_begin(const struct elf_file *file, struct debug_sections *sections)
{
    Elf *elf = file->image->elf;
    struct section section = {0};
    if (!needs_us(elf))
        return elf;
    sections->assembly = assembly_begin(elf);
    if (!sections->assembly)
        return elf;
    struct string_table names = section_names(elf);
    while (section_next(elf, &section)) {
        const char *name = string_table_get(&names, section.header.sh_name);
        if (name)
            take(sections, &section, name);
    }
    return sections->assembly;
}

void debug_sections_end(struct debug_sections *sections)
{
    elf_end(sections->assembly);
    for (size_t i = 0; i < sections->count; i++)
        free(sections->unpacked[i]);
    *sections = (struct debug_sections){0};
}
