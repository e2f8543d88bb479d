// SPDX-License-Identifier: MIT
#include "symbol/reader/units.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/mem.h"
#include "symbol/reader/intervals.h"
#include "symbol/reader/split_file.h"

#define UNITS_MAX 4000000u

// libdw keeps all that it has read (abbreviations, rows of line tables of 40 bytes each) until
// dwarf_end. So units are read through a Dwarf of their own, ended when it holds that many rows.
#define ROWS_MAX 50000u

struct unit {
    Dwarf_Off offset;            // of the unit DIE
    struct functions *functions; // NULL until needed
    struct split_unit *split;    // open while its functions are; NULL: not split, or libdw reads it
    struct split_file *file;     // its .dwo file or NULL; stays open, because its names are kept
    bool file_sought;
    const char *directory;       // compilation directory, "" when not known
    unsigned begun;              // value of units.begun when its rows were last read; 0: never
};

struct units {
    Dwarf *dwarf, *common;
    const struct split_package *package; // NULL: none
    bool are_split;
    Dwarf *reading;   // the Dwarf through which units are read
    size_t row_count; // rows that it holds
    unsigned begun;   // how many times it was opened
    struct unit *list;
    size_t count, capacity;
    struct intervals index;
    struct unit *last; // the unit of the last query; NULL: none
};

static const char *directory_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *directory = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attribute));
    return directory ? directory : "";
}

static void add_unit(struct units *units, Dwarf_Die *die)
{
    Dwarf_Addr base = 0, start, end;
    size_t before = units->index.count;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;)
        intervals_add(&units->index, start, end, (uint32_t)units->count);
    if (units->index.count == before)
        return;
    ARRAY_RESERVE(units->list, units->count, units->capacity);
    units->list[units->count++] =
        (struct unit){.offset = dwarf_dieoffset(die), .directory = directory_of(die)};
}

struct units *units_new(Dwarf *dwarf, Dwarf *common)
{
    struct units *units = xcalloc(1, sizeof *units);
    units->dwarf = dwarf;
    units->common = common;
    Dwarf_CU *handle = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (units->count < UNITS_MAX &&
           dwarf_get_units(dwarf, handle, &handle, NULL, &type, &die, NULL) == 0)
        if (type == DW_UT_compile || type == DW_UT_skeleton) {
            units->are_split |= type == DW_UT_skeleton;
            add_unit(units, &die);
        }
    intervals_sort(&units->index);
    return units;
}

static void forget_functions(struct unit *unit)
{
    functions_free(unit->functions);
    split_unit_close(unit->split);
    unit->functions = NULL;
    unit->split = NULL;
}

static void end_reading(struct units *units)
{
    for (size_t i = 0; i < units->count; i++)
        forget_functions(&units->list[i]);
    dwarf_end(units->reading);
    units->reading = NULL;
}

void units_free(struct units *units)
{
    if (!units)
        return;
    end_reading(units);
    for (size_t i = 0; i < units->count; i++)
        split_file_close(units->list[i].file);
    free(units->list);
    intervals_fini(&units->index);
    free(units);
}

bool units_are_split(const struct units *units)
{
    return units->are_split;
}

void units_set_package(struct units *units, const struct split_package *package)
{
    units->package = package;
}

static void begin_reading(struct units *units)
{
    end_reading(units);
    units->reading = dwarf_begin_elf(dwarf_getelf(units->dwarf), DWARF_C_READ, NULL);
    units->begun++;
    units->row_count = 0;
    if (units->reading && units->common)
        dwarf_setalt(units->reading, units->common);
}

// Queries come unit by unit, so what was read of the last unit is hardly needed again.
static void move_to(struct units *units, struct unit *unit)
{
    struct unit *last = units->last;
    if (last && last != unit && last->split)
        forget_functions(last);
    else if (last && last != unit && last->functions)
        functions_shed(last->functions);
    units->last = unit;
}

// Gets the DIE of the unit.
static bool read_unit(struct units *units, struct unit *unit, Dwarf_Die *whole)
{
    Dwarf_Lines *lines;
    size_t count;
    bool held = units->reading && unit->begun == units->begun;
    if (!held && (!units->reading || units->row_count >= ROWS_MAX))
        begin_reading(units);
    if (!units->reading || !dwarf_offdie(units->reading, unit->offset, whole))
        return false;
    if (!held && dwarf_getsrclines(whole, &lines, &count) == 0)
        units->row_count += count;
    unit->begun = units->begun;
    return true;
}

// Opens the split unit from a package, else from a .dwo file. NULL: there is none, or it is
// damaged.
static struct split_unit *open_split(const struct units *units, struct unit *unit,
                                     Dwarf_Die *skeleton, uint64_t id)
{
    struct split_unit *split =
        units->package ? split_unit_open(units->package, skeleton, id) : NULL;
    if (split)
        return split;
    if (!unit->file_sought)
        unit->file = split_file_open(skeleton, unit->directory);
    unit->file_sought = true;
    return unit->file ? split_unit_open(split_file_package(unit->file), skeleton, id) : NULL;
}

// Finds the split unit's DIE; its addr stays NULL when there is none. libdw may find a unit that we
// cannot read. Its names have to stay valid, so it is read through the Dwarf that is ended last.
static void find_split(const struct units *units, struct unit *unit, Dwarf_Die *whole,
                       Dwarf_Die *split)
{
    uint8_t type;
    uint64_t id;
    Dwarf_Die stays;
    if (dwarf_cu_info(whole->cu, NULL, &type, NULL, NULL, &id, NULL, NULL) != 0 ||
        type != DW_UT_skeleton)
        return;
    if (!unit->split)
        unit->split = open_split(units, unit, whole, id);
    if (unit->split)
        *split = *split_unit_die(unit->split);
    else if (dwarf_offdie(units->dwarf, unit->offset, &stays))
        dwarf_cu_info(stays.cu, NULL, NULL, NULL, split, NULL, NULL, NULL);
}

// Returns the unit DIE in whose file list the numbers of call_file are.
static Dwarf_Die *files_of(const struct unit *unit, Dwarf_Die *whole, Dwarf_Die *split)
{
    bool elsewhere = split->addr && (!unit->split || split_unit_has_files(unit->split));
    return elsewhere ? split : whole;
}

// The line table belongs to the skeleton, even where the functions are in the split unit.
static void find_place(Dwarf_Die *unit, uint64_t vaddr, struct inline_call *call)
{
    Dwarf_Line *row = dwarf_getsrc_die(unit, vaddr);
    int line, column;
    const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
    if (!file)
        return;
    call->file = file;
    call->line = dwarf_lineno(row, &line) == 0 && line > 0 ? (uint32_t)line : 0;
    call->column = dwarf_linecol(row, &column) == 0 && column > 0 ? (uint32_t)column : 0;
}

uint32_t units_at(const struct units *units, uint64_t vaddr)
{
    return intervals_find(&units->index, vaddr);
}

size_t units_find(struct units *units, uint64_t vaddr, unsigned wish,
                  struct inline_call calls[CALLS_MAX])
{
    uint32_t owner = units_at(units, vaddr);
    if (owner == INTERVALS_NONE)
        return 0;
    struct unit *unit = &units->list[owner];
    Dwarf_Die whole, split = {0};
    move_to(units, unit);
    if (!read_unit(units, unit, &whole))
        return 0;
    find_split(units, unit, &whole, &split);
    if (!unit->functions)
        unit->functions = functions_new(split.addr ? &split : &whole, unit->split);
    size_t count = functions_find(unit->functions, files_of(unit, &whole, &split), vaddr, wish,
                                  calls);
    if (!count)
        calls[count++] = (struct inline_call){.file = ""};
    find_place(&whole, vaddr, &calls[0]);
    for (size_t i = 0; i < count; i++)
        calls[i].directory = unit->directory;
    return calls[0].name || calls[0].file[0] ? count : 0;
}
