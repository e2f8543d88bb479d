// SPDX-License-Identifier: MIT
#include "symbol/binary.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/inflate.h"
#include "symbol/symtab.h"
#include "symbol/units.h"

enum part {
    PART_MAIN,
    PART_DEBUG,
    PART_MINI,   // unpacked from .gnu_debugdata
    PART_COMMON, // of dwz
    PART_PLAIN,  // the DWARF that is used, and the common one, unpacked
    PART_COMMON_PLAIN,
    PARTS,
};

struct binary {
    struct elf_file parts[PARTS];
    struct symtab *symtab;
    bool symbols_whole; // there is a .symtab: no function is missing from it
    Dwarf *dwarf, *common; // NULL: none
    struct units *units;   // NULL: no lines
};

static void find_debug_file(struct binary *binary, const char *path, const char *extra,
                            struct finder *finder)
{
    struct elf_file *main = &binary->parts[PART_MAIN];
    struct elf_file *debug = &binary->parts[PART_DEBUG];
    bool complete = elf_file_has_dwarf(main) && elf_file_has_symbols(main);
    if (complete || (extra && debug_file_take(finder, main, extra, debug)) ||
        debug_file_find(finder, main, path, debug))
        return;
    if (!elf_file_has_symbols(main) && elf_file_unpack(main, &binary->parts[PART_MINI]))
        buf_puts(&finder->tried, ".gnu_debugdata: used\n");
}

static void read_symbols(struct binary *binary)
{
    const struct image *images[PARTS];
    size_t count = 0;
    for (enum part part = PART_MAIN; part < PART_COMMON; part++)
        if (binary->parts[part].image) {
            binary->symbols_whole |= elf_file_has_symbols(&binary->parts[part]);
            images[count++] = binary->parts[part].image;
        }
    binary->symtab = symtab_new(images, count);
}

// Where libdw has to unpack (inflate_dwarf does not know the form) it unpacks every section when it
// begins, and so would these, which nobody here asks for.
static void hide_unused(Elf *elf)
{
    static const char *const unused[] = {".debug_loc", ".debug_loclists", ".debug_aranges"};
    size_t names;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        const char *name = gelf_getshdr(section, &header)
                               ? elf_strptr(elf, names, header.sh_name)
                               : NULL;
        for (size_t i = 0; name && i < ARRAY_LENGTH(unused); i++)
            if (strcmp(name, unused[i]) == 0) {
                header.sh_type = SHT_NOBITS;
                gelf_update_shdr(section, &header);
            }
    }
}

static Dwarf *begin(const struct elf_file *file, struct elf_file *plain)
{
    bool inflated = inflate_dwarf(file, plain);
    Elf *elf = inflated ? plain->image->elf : file->image->elf;
    if (!inflated)
        hide_unused(elf);
    return dwarf_begin_elf(elf, DWARF_C_READ, NULL);
}

// False when parts of it are in a file that is not found. libdw would then look for one by itself,
// and take it whatever its build id.
static bool open_common(struct binary *binary, const char *path, struct finder *finder)
{
    struct elf_file *file = &binary->parts[PART_COMMON];
    bool linked;
    if (!debug_file_find_common(finder, binary->dwarf, path, file, &linked))
        return !linked;
    binary->common = begin(file, &binary->parts[PART_COMMON_PLAIN]);
    if (binary->common)
        dwarf_setalt(binary->dwarf, binary->common);
    return binary->common;
}

static void open_dwarf(struct binary *binary, const char *path, struct finder *finder)
{
    static const enum part order[] = {PART_DEBUG, PART_MAIN};
    for (size_t i = 0; i < ARRAY_LENGTH(order) && !binary->dwarf; i++)
        if (elf_file_has_dwarf(&binary->parts[order[i]]))
            binary->dwarf = begin(&binary->parts[order[i]], &binary->parts[PART_PLAIN]);
    if (!binary->dwarf)
        return;
    if (open_common(binary, path, finder))
        binary->units = units_new(binary->dwarf, binary->common);
}

struct binary *binary_new(int fd, const char *path, const char *extra, enum binary_depth depth,
                          struct finder *finder)
{
    struct binary *binary = xcalloc(1, sizeof *binary);
    struct err err;
    if (elf_file_map(fd, &binary->parts[PART_MAIN], &err) != RC_OK) {
        buf_printf(&finder->tried, "%s: %s\n", path, err.text);
        return binary;
    }
    if (depth >= BINARY_ALL)
        find_debug_file(binary, path, extra, finder);
    if (depth >= BINARY_SYMBOLS)
        read_symbols(binary);
    if (depth >= BINARY_ALL)
        open_dwarf(binary, path, finder);
    return binary;
}

void binary_free(struct binary *binary)
{
    if (!binary)
        return;
    units_free(binary->units);
    dwarf_end(binary->dwarf);
    dwarf_end(binary->common);
    symtab_free(binary->symtab);
    for (enum part part = PART_MAIN; part < PARTS; part++)
        elf_file_fini(&binary->parts[part]);
    free(binary);
}

bool binary_has_lines(const struct binary *binary)
{
    return binary->units;
}

uint32_t binary_unit(const struct binary *binary, uint64_t vaddr)
{
    return binary->units ? units_at(binary->units, vaddr) : 0;
}

void binary_find(struct binary *binary, uint64_t vaddr, struct binary_names *names)
{
    struct symtab_match match = {0};
    if (binary->symtab)
        symtab_find(binary->symtab, vaddr, &match);
    names->symbol = match.name;
    names->stub = match.stub;
    names->offset = match.offset;
    bool in_function = match.name || !binary->symbols_whole; // else between two of them
    names->call_count =
        binary->units ? units_find(binary->units, vaddr, in_function, names->calls) : 0;
}
