// SPDX-License-Identifier: MIT
#include "symbol/reader/section.h"

#include <string.h>

#include "process/unpack.h"

#define SECTIONS_MAX 65536u
#define NAMES_MAX (512ull << 20) // bytes of one string table; Chromium with debug symbols has 300 M

bool section_get(Elf *elf, size_t number, struct section *section)
{
    section->handle = number ? elf_getscn(elf, number) : NULL;
    return section->handle && gelf_getshdr(section->handle, &section->header);
}

bool section_next(Elf *elf, struct section *section)
{
    size_t number = section->handle ? elf_ndxscn(section->handle) + 1 : 1;
    return number < SECTIONS_MAX && section_get(elf, number, section);
}

bool section_find(Elf *elf, uint32_t type, const char *name,
                  struct section *section)
{
    struct string_table names = section_names(elf);
    *section = (struct section){0};
    while (section_next(elf, section)) {
        const char *its = string_table_get(&names, section->header.sh_name);
        if (section->header.sh_type == type && (!name || (its && strcmp(its, name) == 0)))
            return true;
    }
    return false;
}

Elf_Data *section_data(const struct section *section, uint64_t limit)
{
    if (section->header.sh_type == SHT_NOBITS || section->header.sh_size > limit)
        return NULL;
    Elf_Data *data = elf_getdata(section->handle, NULL);
    return data && data->d_buf && data->d_size ? data : NULL;
}

bool section_unpack(const struct section *section, uint64_t limit, struct contents *contents)
{
    *contents = (struct contents){0};
    if (unpack_is_needed(section->handle)) {
        contents->bytes = contents->owned =
            unpack_section(section->handle, limit, &contents->size);
        return contents->bytes;
    }
    const Elf_Data *data = section_data(section, limit);
    if (!data)
        return false;
    contents->bytes = data->d_buf;
    contents->size = data->d_size;
    return true;
}

struct string_table string_table_read(Elf *elf, size_t section)
{
    struct section table;
    if (!section_get(elf, section, &table) || table.header.sh_type != SHT_STRTAB)
        return (struct string_table){0};
    const Elf_Data *data = section_data(&table, NAMES_MAX);
    const char *last = data ? memrchr(data->d_buf, '\0', data->d_size) : NULL;
    if (!last)
        return (struct string_table){0};
    return (struct string_table){.text = data->d_buf,
                                 .size = (size_t)(last - (char *)data->d_buf) + 1};
}

struct string_table section_names(Elf *elf)
{
    size_t at;
    return elf_getshdrstrndx(elf, &at) == 0 ? string_table_read(elf, at)
                                            : (struct string_table){0};
}

const char *string_table_get(const struct string_table *names, uint64_t offset)
{
    return offset < names->size ? names->text + offset : NULL;
}
