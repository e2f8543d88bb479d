// SPDX-License-Identifier: MIT
#include "symbol/reader/symtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"
#include "symbol/reader/extents.h"
#include "symbol/reader/plt.h"
#include "symbol/reader/section.h"

#define SYMBOLS_MAX 4000000u
#define RANKED_LENGTH 255 // bytes of a name that are compared when aliases are ranked

// A function with a size covers its bytes. Hand-written assembly often has no
// size: such a label covers what follows it up to the next label or function, except bytes that a
// function covers. It covers no more than the FDE that it lies in, or, without one, no bytes beyond
// the start of the next FDE. In a stripped file the functions behind it may have lost their names,
// so that without an FDE it covers only its first byte. A local label without a type (a jump
// target) counts only where nothing else covers the address.
enum tier {
    TIER_FUNCTION,
    TIER_LABEL,
    TIER_LOCAL_LABEL,
};

struct symbol_entry {
    uint64_t address, end; // the `end` of a label is the furthest that it may reach
    const char *name;
    uint32_t badness; // rank among symbols at one address, lowest is best; the tier is its top byte
    uint32_t order;   // in order of reading: .symtab before .dynsym
};

struct range { // addresses that belong to one function
    uint64_t start, end;
    uint64_t address; // of the function: below start where another function lies inside it
    const char *name;
};

struct symtab {
    struct range *ranges; // ascending, disjoint
    size_t count, capacity;
    struct plt plt;
    struct extents *extents;
};

struct text { // an executable section
    uint64_t start, end;
};

struct reader {
    struct extents *extents;
    struct text *texts; // ascending
    size_t text_count, text_capacity;
    struct symbol_entry *entries;
    size_t count, capacity;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static void read_texts(struct reader *reader, const struct image *image)
{
    struct section section = {0};
    while (section_next(image->elf, &section)) {
        const GElf_Shdr *header = &section.header;
        uint64_t end = header->sh_addr + header->sh_size;
        if (!(header->sh_flags & SHF_ALLOC) || !(header->sh_flags & SHF_EXECINSTR) ||
            end <= header->sh_addr)
            continue;
        ARRAY_RESERVE(reader->texts, reader->text_count, reader->text_capacity);
        reader->texts[reader->text_count++] = (struct text){header->sh_addr, end};
    }
    ascending_sort(reader->texts, reader->text_count, sizeof *reader->texts);
}

static const struct text *text_of(const struct reader *reader, uint64_t address)
{
    const struct text *text =
        ascending_last(reader->texts, reader->text_count, sizeof *text, address);
    return text && address < text->end ? text : NULL;
}

static enum tier tier_of(const GElf_Sym *symbol)
{
    if (symbol->st_size)
        return TIER_FUNCTION;
    bool typed = GELF_ST_TYPE(symbol->st_info) != STT_NOTYPE;
    return typed || GELF_ST_BIND(symbol->st_info) != STB_LOCAL ? TIER_LABEL : TIER_LOCAL_LABEL;
}

// The best is global, then weak, then local; then it has fewer leading underscores, or is shorter.
static uint32_t badness_of(const GElf_Sym *symbol, enum tier tier, const char *name)
{
    static const unsigned char by_binding[16] = {
        [STB_GLOBAL] = 1,
        [STB_GNU_UNIQUE] = 1,
        [STB_WEAK] = 2,
        [STB_LOCAL] = 3,
    };
    size_t length = strnlen(name, RANKED_LENGTH), underscores = 0;
    while (underscores < length && name[underscores] == '_')
        underscores++;
    return (uint32_t)tier << 24 | (uint32_t)by_binding[GELF_ST_BIND(symbol->st_info)] << 16 |
           (uint32_t)underscores << 8 | (uint32_t)length;
}

// Returns whether the symbol is a tool's mark rather than code: ".annobin_...", ARM-style "$x".
static bool is_mark(const char *name)
{
    return name[0] == '.' || name[0] == '$';
}

// Returns how far a symbol reaches in its section. `stripped`: the table has only exported symbols.
static uint64_t end_of(struct reader *reader, const GElf_Sym *symbol, const struct text *text,
                       bool stripped)
{
    uint64_t address = symbol->st_value, room = text->end - address, start, end;
    if (symbol->st_size)
        return address + (symbol->st_size < room ? symbol->st_size : room);
    if (!extents_find(reader->extents, address, &start, &end))
        end = stripped ? address + 1 : extents_next(reader->extents, address);
    return end < text->end ? end : text->end;
}

static void add_symbol(struct reader *reader, const GElf_Sym *symbol, const char *name,
                       bool stripped)
{
    unsigned char type = GELF_ST_TYPE(symbol->st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
        symbol->st_shndx == SHN_UNDEF || !name || !name[0] ||
        (type == STT_NOTYPE && is_mark(name)))
        return;
    const struct text *text = text_of(reader, symbol->st_value);
    if (!text)
        return;
    ARRAY_RESERVE(reader->entries, reader->count, reader->capacity);
    reader->entries[reader->count] = (struct symbol_entry){
        .address = symbol->st_value,
        .end = end_of(reader, symbol, text, stripped),
        .name = name,
        .badness = badness_of(symbol, tier_of(symbol), name),
        .order = (uint32_t)reader->count,
    };
    reader->count++;
}

static void read_symbols(struct reader *reader, const struct image *image, uint32_t type)
{
    struct section section;
    if (!section_find(image->elf, type, NULL, &section))
        return;
    Elf_Data *data = section_data(&section, SYMBOLS_MAX * sizeof(Elf64_Sym));
    struct string_table names = string_table_read(image->elf, section.header.sh_link);
    size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
    for (size_t i = 1; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol))
            add_symbol(reader, &symbol, string_table_get(&names, symbol.st_name),
                       type == SHT_DYNSYM);
    }
}

// Sorts by address, then the worst name first: the last one that covers an address counts.
static int compare_entry(const void *left, const void *right)
{
    const struct symbol_entry *a = left, *b = right;
    int by_address = compare_numbers(a->address, b->address);
    if (by_address)
        return by_address;
    int by_badness = compare_numbers(b->badness, a->badness);
    return by_badness ? by_badness : compare_numbers(b->order, a->order);
}

static enum tier entry_tier(const struct symbol_entry *entry)
{
    return entry->badness >> 24;
}

// Functions may lie inside others (several entry points, damaged tables). The sweep goes up through
// the addresses; `open` holds the functions that have begun and not ended, the innermost last. A
// label in it is always the only entry.
struct sweep {
    struct symtab *symtab;
    const struct symbol_entry **open;
    size_t count, capacity;
    uint64_t reached; // ranges are complete up to here
};

static void add_range(struct symtab *symtab, const struct symbol_entry *entry, uint64_t start,
                      uint64_t end)
{
    if (start >= end)
        return;
    ARRAY_RESERVE(symtab->ranges, symtab->count, symtab->capacity);
    symtab->ranges[symtab->count++] = (struct range){start, end, entry->address, entry->name};
}

static void sweep_to(struct sweep *sweep, uint64_t address)
{
    while (sweep->count) {
        const struct symbol_entry *inner = sweep->open[sweep->count - 1];
        uint64_t end = inner->end < address ? inner->end : address;
        add_range(sweep->symtab, inner, sweep->reached, end);
        if (end > sweep->reached)
            sweep->reached = end;
        if (inner->end > address)
            break;
        sweep->count--;
    }
    sweep->reached = address;
}

static void sweep_over(struct sweep *sweep, const struct symbol_entry *entry)
{
    sweep_to(sweep, entry->address);
    if (sweep->count) {
        enum tier covers = entry_tier(sweep->open[sweep->count - 1]);
        if (covers < entry_tier(entry))
            return;
        if (covers != TIER_FUNCTION)
            sweep->count = 0;
    }
    ARRAY_RESERVE(sweep->open, sweep->count, sweep->capacity);
    sweep->open[sweep->count++] = entry;
}

static void make_ranges(struct symtab *symtab, struct reader *reader)
{
    struct sweep sweep = {.symtab = symtab};
    if (reader->count)
        qsort(reader->entries, reader->count, sizeof *reader->entries, compare_entry);
    for (size_t i = 0; i < reader->count; i++)
        sweep_over(&sweep, &reader->entries[i]);
    sweep_to(&sweep, UINT64_MAX);
    free(sweep.open);
}

struct symtab *symtab_new(const struct image *const *images, size_t count)
{
    struct symtab *symtab = xcalloc(1, sizeof *symtab);
    symtab->extents = extents_new(images[0]);
    struct reader reader = {.extents = symtab->extents};
    read_texts(&reader, images[0]);
    for (size_t i = count; i-- > 0;) // a separate debug file has the fuller table
        read_symbols(&reader, images[i], SHT_SYMTAB);
    read_symbols(&reader, images[0], SHT_DYNSYM);
    make_ranges(symtab, &reader);
    free(reader.texts);
    free(reader.entries);
    plt_read(&symtab->plt, images[0], symtab);
    return symtab;
}

void symtab_free(struct symtab *symtab)
{
    if (!symtab)
        return;
    plt_fini(&symtab->plt);
    extents_free(symtab->extents);
    free(symtab->ranges);
    free(symtab);
}

static bool find_function(const struct symtab *symtab, uint64_t vaddr, struct symtab_match *match)
{
    const struct range *range =
        ascending_last(symtab->ranges, symtab->count, sizeof *range, vaddr);
    if (!range || vaddr >= range->end)
        return false;
    *match = (struct symtab_match){range->name, vaddr - range->address, false};
    return true;
}

bool symtab_find(const struct symtab *symtab, uint64_t vaddr, struct symtab_match *match)
{
    return find_function(symtab, vaddr, match) || plt_find(&symtab->plt, vaddr, match);
}

bool symtab_start(const struct symtab *symtab, uint64_t vaddr, uint64_t *start)
{
    uint64_t end;
    return extents_find(symtab->extents, vaddr, start, &end);
}
