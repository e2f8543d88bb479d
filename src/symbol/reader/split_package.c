// SPDX-License-Identifier: MIT
#include "symbol/reader/split_package.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/reader/section.h"

#define SECTION_MAX (4ull << 30) // bytes; offsets in the index have 32 bits
#define COLUMNS_MAX 16u          // eight kinds are defined

// The header has version (in DWARF 5 two bytes, and two of padding), columns, units and slots. It
// is followed by the hash table (ids, then the numbers of their rows), the kinds of the columns,
// the rows of offsets, and the rows of sizes; a row belongs to one unit.
enum { HEAD_VERSION, HEAD_COLUMNS, HEAD_UNITS, HEAD_SLOTS, HEAD_WORDS };

static const struct {
    const char *packed, *plain; // section names in the package, and for libdw
    uint32_t gnu, dwarf5;       // kind of the column in GNU's and DWARF 5's index; 0: none
} parts[SPLIT_PARTS] = {
    [SPLIT_INFO] = {".debug_info.dwo", ".debug_info", 1, 1},
    [SPLIT_ABBREV] = {".debug_abbrev.dwo", ".debug_abbrev", 3, 3},
    [SPLIT_LINE] = {".debug_line.dwo", ".debug_line", 4, 4},
    [SPLIT_STR_OFFSETS] = {".debug_str_offsets.dwo", ".debug_str_offsets", 6, 6},
    [SPLIT_RNGLISTS] = {".debug_rnglists.dwo", ".debug_rnglists", 0, 8},
    [SPLIT_STR] = {".debug_str.dwo", ".debug_str", 0, 0},
};

struct split_package {
    Elf *elf;
    bool single; // one unit without an index (.dwo)
    struct contents parts[SPLIT_PARTS], index;
    uint32_t head[HEAD_WORDS];
    const unsigned char *ids, *rows, *kinds, *offsets, *sizes; // point into the index
};

static uint32_t word_at(const unsigned char *table, uint64_t index)
{
    uint32_t word;
    memcpy(&word, table + index * sizeof word, sizeof word);
    return word;
}

static uint64_t quad_at(const unsigned char *table, uint64_t index)
{
    uint64_t quad;
    memcpy(&quad, table + index * sizeof quad, sizeof quad);
    return quad;
}

static void unpack(const struct elf_file *file, const char *name, struct contents *contents)
{
    struct section section;
    if (!section_find(file->image->elf, SHT_PROGBITS, name, &section) ||
        !section_unpack(&section, SECTION_MAX, contents))
        *contents = (struct contents){0};
}

static bool read_index(struct split_package *package)
{
    const struct contents *index = &package->index;
    uint32_t *head = package->head;
    if (index->size < sizeof package->head)
        return false;
    memcpy(head, index->bytes, sizeof package->head);
    uint64_t columns = head[HEAD_COLUMNS], units = head[HEAD_UNITS], slots = head[HEAD_SLOTS];
    if ((head[HEAD_VERSION] != 2 && head[HEAD_VERSION] != 5) || !columns ||
        columns > COLUMNS_MAX || !slots || slots & (slots - 1) || units > slots)
        return false;
    uint64_t row = columns * sizeof(uint32_t), ids = sizeof package->head;
    uint64_t rows = ids + slots * sizeof(uint64_t), kinds = rows + slots * sizeof(uint32_t);
    uint64_t offsets = kinds + row, sizes = offsets + units * row;
    if (sizes + units * row > index->size)
        return false;
    package->ids = index->bytes + ids;
    package->rows = index->bytes + rows;
    package->kinds = index->bytes + kinds;
    package->offsets = index->bytes + offsets;
    package->sizes = index->bytes + sizes;
    return true;
}

static struct split_package *read_parts(const struct elf_file *file)
{
    struct split_package *package = xcalloc(1, sizeof *package);
    package->elf = file->image->elf;
    for (enum split_part part = 0; part < SPLIT_PARTS; part++)
        unpack(file, parts[part].packed, &package->parts[part]);
    return package;
}

struct split_package *split_package_new(const struct elf_file *file)
{
    struct split_package *package = read_parts(file);
    unpack(file, ".debug_cu_index", &package->index);
    if (read_index(package))
        return package;
    split_package_free(package);
    return NULL;
}

// DWARF 5 type units have a section of the same name. Returns whether this one has a compilation
// unit.
static bool has_functions(const struct contents *info)
{
    const size_t version_at = 4, type_at = 6;
    uint16_t version;
    if (info->size <= type_at)
        return false;
    memcpy(&version, info->bytes + version_at, sizeof version);
    return version < 5 || info->bytes[type_at] == DW_UT_split_compile;
}

static void unpack_unit(const struct elf_file *file, struct contents *contents)
{
    struct section section = {0};
    struct string_table names = section_names(file->image->elf);
    *contents = (struct contents){0};
    while (section_next(file->image->elf, &section)) {
        const char *name = string_table_get(&names, section.header.sh_name);
        if (!name || strcmp(name, parts[SPLIT_INFO].packed) != 0 ||
            !section_unpack(&section, SECTION_MAX, contents))
            continue;
        if (has_functions(contents))
            return;
        free(contents->owned);
        *contents = (struct contents){0};
    }
}

struct split_package *split_package_of_unit(const struct elf_file *file)
{
    struct split_package *package = read_parts(file);
    free(package->parts[SPLIT_INFO].owned);
    unpack_unit(file, &package->parts[SPLIT_INFO]);
    package->single = package->parts[SPLIT_INFO].size;
    if (package->single)
        return package;
    split_package_free(package);
    return NULL;
}

void split_package_free(struct split_package *package)
{
    if (!package)
        return;
    free(package->index.owned);
    for (enum split_part part = 0; part < SPLIT_PARTS; part++)
        free(package->parts[part].owned);
    free(package);
}

Elf *split_package_elf(const struct split_package *package)
{
    return package->elf;
}

const char *split_part_name(enum split_part part)
{
    return parts[part].plain;
}

uint32_t split_package_row(const struct split_package *package, uint64_t id)
{
    if (package->single)
        return 1;
    uint32_t slots = package->head[HEAD_SLOTS], mask = slots - 1;
    uint32_t slot = (uint32_t)id & mask, step = ((uint32_t)(id >> 32) & mask) | 1;
    for (uint32_t tries = 0; tries < slots; tries++, slot = (slot + step) & mask) {
        uint32_t row = word_at(package->rows, slot);
        if (!row)
            return 0;
        if (quad_at(package->ids, slot) == id)
            return row <= package->head[HEAD_UNITS] ? row : 0;
    }
    return 0;
}

struct section_piece split_package_piece(const struct split_package *package, uint32_t row,
                                         enum split_part part)
{
    uint32_t kind = package->head[HEAD_VERSION] == 2 ? parts[part].gnu : parts[part].dwarf5;
    uint64_t columns = package->head[HEAD_COLUMNS];
    const struct contents *whole = &package->parts[part];
    if (part == SPLIT_STR || package->single)
        return (struct section_piece){whole->bytes, whole->size};
    for (uint64_t i = 0; kind && i < columns; i++) {
        uint64_t at = (uint64_t)(row - 1) * columns + i;
        uint32_t offset = word_at(package->offsets, at), size = word_at(package->sizes, at);
        if (word_at(package->kinds, i) == kind && size && offset <= whole->size &&
            size <= whole->size - offset)
            return (struct section_piece){whole->bytes + offset, size};
    }
    return (struct section_piece){0};
}
