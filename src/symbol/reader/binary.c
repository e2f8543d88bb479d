// SPDX-License-Identifier: MIT
#include "symbol/reader/binary.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/reader/debug_sections.h"
#include "symbol/reader/split_package.h"
#include "symbol/reader/symtab.h"
#include "symbol/reader/units.h"

enum part {
    PART_MAIN,
    PART_DEBUG,
    PART_MINI,   // uncompressed from .gnu_debugdata
    PART_COMMON, // the file of dwz
    PART_SPLIT,  // package of split units (.dwp)
    PARTS,
};

struct binary {
    struct elf_file parts[PARTS];
    struct debug_sections sections[PARTS];
    struct symtab *symtab;
    bool symbols_whole; // there is a .symtab: no function is missing
    Dwarf *dwarf, *common; // NULL: none
    struct split_package *package; // NULL: none
    struct units *units;           // NULL: no lines
};

static void find_debug_file(struct binary *binary, const char *path, const char *extra,
                            struct debug_finder *finder)
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

static Dwarf *begin(struct binary *binary, enum part part)
{
    Elf *elf = debug_sections_begin(&binary->parts[part], &binary->sections[part]);
    return dwarf_begin_elf(elf, DWARF_C_READ, NULL);
}

// Returns false when dwz moved parts to a file that is not found. In that case libdw would look for
// one by itself, and accept it whatever its build id.
static bool open_common(struct binary *binary, const char *path, struct debug_finder *finder)
{
    struct elf_file *file = &binary->parts[PART_COMMON];
    bool linked;
    if (!debug_file_find_common(finder, binary->dwarf, path, file, &linked))
        return !linked;
    binary->common = begin(binary, PART_COMMON);
    if (binary->common)
        dwarf_setalt(binary->dwarf, binary->common);
    return binary->common;
}

static void open_package(struct binary *binary, const char *path, struct debug_finder *finder)
{
    struct elf_file *file = &binary->parts[PART_SPLIT];
    if (!debug_file_find_package(finder, &binary->parts[PART_MAIN], path, file))
        return;
    binary->package = split_package_new(file);
    if (binary->package)
        units_set_package(binary->units, binary->package);
    else
        buf_printf(&finder->tried, "%s.dwp: it has no index that can be read\n", path);
}

static void open_dwarf(struct binary *binary, const char *path, struct debug_finder *finder)
{
    static const enum part order[] = {PART_DEBUG, PART_MAIN};
    for (size_t i = 0; i < ARRAY_LENGTH(order) && !binary->dwarf; i++)
        if (elf_file_has_dwarf(&binary->parts[order[i]]))
            binary->dwarf = begin(binary, order[i]);
    if (!binary->dwarf)
        return;
    if (open_common(binary, path, finder))
        binary->units = units_new(binary->dwarf, binary->common);
    if (binary->units && units_are_split(binary->units))
        open_package(binary, path, finder);
}

struct binary *binary_new(int fd, const char *path, const char *extra, enum binary_depth depth,
                          struct debug_finder *finder)
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
    split_package_free(binary->package);
    dwarf_end(binary->dwarf);
    dwarf_end(binary->common);
    symtab_free(binary->symtab);
    for (enum part part = PART_MAIN; part < PARTS; part++) {
        debug_sections_end(&binary->sections[part]);
        elf_file_fini(&binary->parts[part]);
    }
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
    names->start = 0;
    if (binary->symtab && !match.name && symtab_start(binary->symtab, vaddr, &names->start))
        names->offset = vaddr - names->start;
    // When a complete symbol table has nothing at the address, it lies between two functions, so
    // that a search for nested functions would find none either.
    unsigned wish = (match.name || !binary->symbols_whole ? FUNCTIONS_NESTED : 0) |
                    (match.name ? 0 : FUNCTIONS_NAMED);
    names->call_count = binary->units ? units_find(binary->units, vaddr, wish, names->calls) : 0;
}
