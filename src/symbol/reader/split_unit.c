// SPDX-License-Identifier: MIT
#include "symbol/reader/split_unit.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/reader/assembly.h"
#include "symbol/reader/section.h"

struct split_unit {
    Elf *elf;
    Dwarf *dwarf;
    Dwarf_Die die;
    Dwarf_Addr base; // low pc of the unit: base of its range lists
    struct section_piece files, ranges;
};

// Returns where this unit's part of a section of the program begins; 0 when that is not recorded.
static Dwarf_Word base_in(Dwarf_Die *skeleton, unsigned attribute, unsigned other)
{
    Dwarf_Attribute found;
    Dwarf_Word base;
    if (!dwarf_attr(skeleton, attribute, &found) && !dwarf_attr(skeleton, other, &found))
        return 0;
    return dwarf_formudata(&found, &base) == 0 ? base : 0;
}

// Adds a section of the program from that offset on. Where the unit's part ends is not recorded.
static void lend(Elf *to, Elf *program, const char *name, Dwarf_Word from)
{
    struct section section; // uncompressed, by libdw or by us
    const Elf_Data *whole = section_find(program, SHT_PROGBITS, name, &section)
                                ? section_data(&section, UINT64_MAX)
                                : NULL;
    if (whole && from < whole->d_size)
        assembly_add(to, name, (const char *)whole->d_buf + from, whole->d_size - from);
}

static bool assemble(const struct split_package *package, uint32_t row, Dwarf_Die *skeleton,
                     struct split_unit *unit)
{
    Elf *program = dwarf_getelf(dwarf_cu_getdwarf(skeleton->cu));
    unit->elf = assembly_begin(split_package_elf(package));
    if (!unit->elf)
        return false;
    for (enum split_part part = 0; part < SPLIT_PARTS; part++) {
        struct section_piece piece = split_package_piece(package, row, part);
        assembly_add(unit->elf, split_part_name(part), piece.bytes, piece.size);
    }
    unit->files = split_package_piece(package, row, SPLIT_LINE);
    unit->ranges = split_package_piece(package, row, SPLIT_RNGLISTS);
    lend(unit->elf, program, ".debug_addr",
         base_in(skeleton, DW_AT_addr_base, DW_AT_GNU_addr_base));
    lend(unit->elf, program, ".debug_ranges",
         base_in(skeleton, DW_AT_GNU_ranges_base, DW_AT_GNU_ranges_base));
    return true;
}

// Compares the id of the unit itself, because the index may be wrong.
static bool begin(struct split_unit *unit, uint64_t id)
{
    Dwarf_CU *handle;
    uint8_t type;
    uint64_t its;
    unit->dwarf = dwarf_begin_elf(unit->elf, DWARF_C_READ, NULL);
    return unit->dwarf &&
           dwarf_get_units(unit->dwarf, NULL, &handle, NULL, &type, &unit->die, NULL) == 0 &&
           type == DW_UT_split_compile &&
           dwarf_cu_info(handle, NULL, NULL, NULL, NULL, &its, NULL, NULL) == 0 && its == id;
}

struct split_unit *split_unit_open(const struct split_package *package, Dwarf_Die *skeleton,
                                   uint64_t id)
{
    uint32_t row = split_package_row(package, id);
    if (!row)
        return NULL;
    struct split_unit *unit = xcalloc(1, sizeof *unit);
    if (dwarf_lowpc(skeleton, &unit->base) != 0)
        unit->base = 0;
    if (assemble(package, row, skeleton, unit) && begin(unit, id))
        return unit;
    split_unit_close(unit);
    return NULL;
}

void split_unit_close(struct split_unit *unit)
{
    if (!unit)
        return;
    dwarf_end(unit->dwarf);
    elf_end(unit->elf);
    free(unit);
}

Dwarf_Die *split_unit_die(struct split_unit *unit)
{
    return &unit->die;
}

bool split_unit_has_files(const struct split_unit *unit)
{
    return unit->files.size;
}

// A range list that is given by number (DW_FORM_rnglistx) is found by the table of offsets behind
// the header, of 4 bytes each in 32-bit DWARF. Returns 0 when there is none.
static uint64_t numbered_list(const struct split_unit *unit, Dwarf_Word number)
{
    const uint64_t header = 12;
    uint32_t length, count, offset;
    if (unit->ranges.size < header)
        return 0;
    memcpy(&length, unit->ranges.bytes, sizeof length);
    memcpy(&count, unit->ranges.bytes + header - sizeof count, sizeof count);
    if (length == UINT32_MAX || number >= count ||
        header + (uint64_t)count * sizeof offset > unit->ranges.size)
        return 0;
    memcpy(&offset, unit->ranges.bytes + header + number * sizeof offset, sizeof offset);
    return header + offset;
}

// dwarf_ranges takes offset 0 for the beginning of an iteration, and then uses its own base, which
// is wrong for a split unit. Only a list of DWARF 4 can lie at offset 0, and all of its entries are
// relative to a base, so the right one is added here.
static ptrdiff_t first_range(const struct split_unit *unit, Dwarf_Die *die, Dwarf_Word from,
                             Dwarf_Addr *base, Dwarf_Addr *start, Dwarf_Addr *end)
{
    *base = unit->base;
    ptrdiff_t at = dwarf_ranges(die, (ptrdiff_t)from, base, start, end);
    if (at > 0 && !from && !*base) {
        *base = unit->base;
        *start += unit->base;
        *end += unit->base;
    }
    return at;
}

ptrdiff_t split_unit_ranges(const struct split_unit *unit, Dwarf_Die *die, ptrdiff_t at,
                            Dwarf_Addr *base, Dwarf_Addr *start, Dwarf_Addr *end)
{
    Dwarf_Attribute list;
    Dwarf_Word from;
    if (at || !unit->base || !dwarf_attr(die, DW_AT_ranges, &list))
        return dwarf_ranges(die, at, base, start, end);
    if (dwarf_formudata(&list, &from) != 0)
        return -1;
    if (dwarf_whatform(&list) == DW_FORM_rnglistx && !(from = numbered_list(unit, from)))
        return -1;
    return first_range(unit, die, from, base, start, end);
}
