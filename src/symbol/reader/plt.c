// SPDX-License-Identifier: MIT
#include "symbol/reader/plt.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"
#include "process/machine.h"
#include "symbol/reader/symtab.h"
#include "symbol/reader/section.h"
#include "unwind/stub.h"

#define RELOCATIONS_MAX 4000000u
#define STUB_BYTES_MAX (16u << 20) // bytes of one section
#define SYMBOLS_SIZE_MAX (96u << 20)

struct got_slot { // a GOT slot, and the function whose address it will hold
    uint64_t address;
    const char *name; // NULL: not known
};

struct slots {
    struct got_slot *items; // by address once all are read
    size_t count, capacity;
    const char **lazy; // [index into .rela.plt]; a lazily bound stub pushes that index
    size_t lazy_count;
};

struct relocations {
    const struct symtab *functions;
    Elf_Data *symbols; // NULL: none, as in a static executable
    struct string_table names;
};

static const char *function_at(const struct symtab *functions, uint64_t address)
{
    struct symtab_match match;
    return symtab_find(functions, address, &match) && match.offset == 0 ? match.name : NULL;
}

static const char *target_name(const struct relocations *from, const GElf_Rela *relocation)
{
    GElf_Sym symbol;
    switch (GELF_R_TYPE(relocation->r_info)) {
    case MACHINE_RELOCATION_COMPUTED:
        return function_at(from->functions, (uint64_t)relocation->r_addend);
    case MACHINE_RELOCATION_LAZY:
    case MACHINE_RELOCATION_EARLY:
        if (!from->symbols ||
            !gelf_getsym(from->symbols, (int)GELF_R_SYM(relocation->r_info), &symbol))
            return NULL;
        return string_table_get(&from->names, symbol.st_name);
    default:
        return NULL;
    }
}

static void read_slots(struct slots *slots, const struct image *image,
                       const struct symtab *functions, const char *section_name)
{
    struct section section, symbols;
    if (!section_find(image->elf, SHT_RELA, section_name, &section))
        return;
    struct relocations from = {.functions = functions};
    if (section_get(image->elf, section.header.sh_link, &symbols)) {
        from.symbols = section_data(&symbols, SYMBOLS_SIZE_MAX);
        from.names = string_table_read(image->elf, symbols.header.sh_link);
    }
    Elf_Data *data = section_data(&section, RELOCATIONS_MAX * sizeof(Elf64_Rela));
    size_t count = data ? data->d_size / sizeof(Elf64_Rela) : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Rela relocation;
        if (!gelf_getrela(data, (int)i, &relocation))
            return;
        ARRAY_RESERVE(slots->items, slots->count, slots->capacity);
        slots->items[slots->count++] =
            (struct got_slot){relocation.r_offset, target_name(&from, &relocation)};
    }
}

static void read_all_slots(struct slots *slots, const struct image *image,
                           const struct symtab *functions)
{
    struct section bound_early;
    read_slots(slots, image, functions, ".rela.plt");
    slots->lazy_count = slots->count;
    slots->lazy = xcalloc(slots->count, sizeof *slots->lazy);
    for (size_t i = 0; i < slots->count; i++)
        slots->lazy[i] = slots->items[i].name;
    if (section_find(image->elf, SHT_PROGBITS, ".plt.got", &bound_early))
        read_slots(slots, image, functions, ".rela.dyn");
    ascending_sort(slots->items, slots->count, sizeof *slots->items);
}

static const char *slot_name(const struct slots *slots, uint64_t address)
{
    const struct got_slot *slot =
        ascending_last(slots->items, slots->count, sizeof *slot, address);
    return slot && slot->address == address ? slot->name : NULL;
}

// The first entry of .plt, which calls the dynamic linker, is no stub or has no relocation.
static const char *stub_name(const struct slots *slots, const unsigned char code[STUB_BYTES],
                             uint64_t address)
{
    uint64_t to;
    switch (stub_decode(code, address, &to)) {
    case STUB_SLOT:
        return slot_name(slots, to);
    case STUB_LAZY:
        return to < slots->lazy_count ? slots->lazy[to] : NULL;
    default:
        return NULL;
    }
}

static void add_stub(struct plt *plt, const struct slots *slots, const unsigned char *bytes,
                     size_t length, uint64_t address)
{
    unsigned char code[STUB_BYTES] = {0};
    memcpy(code, bytes, length);
    const char *name = stub_name(slots, code, address);
    if (!name || !name[0])
        return;
    ARRAY_RESERVE(plt->stubs, plt->count, plt->capacity);
    plt->stubs[plt->count++] = (struct stub){address, address + length, name};
}

// Static executables leave sh_entsize 0. Their stubs have no second half, like those of .plt.got.
static size_t stub_size(const GElf_Shdr *header)
{
    uint64_t size = header->sh_entsize ? header->sh_entsize : header->sh_addralign;
    return size == 8 ? 8 : 16;
}

static void read_stubs(struct plt *plt, const struct image *image, const struct slots *slots,
                       const char *section_name)
{
    struct section section;
    if (!section_find(image->elf, SHT_PROGBITS, section_name, &section))
        return;
    Elf_Data *data = section_data(&section, STUB_BYTES_MAX);
    size_t step = stub_size(&section.header);
    for (size_t at = 0; data && at + step <= data->d_size; at += step)
        add_stub(plt, slots, (unsigned char *)data->d_buf + at, step,
                 section.header.sh_addr + at);
}

void plt_read(struct plt *plt, const struct image *image, const struct symtab *functions)
{
    struct slots slots = {0};
    read_all_slots(&slots, image, functions);
    read_stubs(plt, image, &slots, ".plt");
    read_stubs(plt, image, &slots, ".plt.sec");
    read_stubs(plt, image, &slots, ".plt.got");
    ascending_sort(plt->stubs, plt->count, sizeof *plt->stubs);
    free(slots.items);
    free(slots.lazy);
}

void plt_fini(struct plt *plt)
{
    free(plt->stubs);
}

bool plt_find(const struct plt *plt, uint64_t vaddr, struct symtab_match *match)
{
    const struct stub *stub = ascending_last(plt->stubs, plt->count, sizeof *stub, vaddr);
    if (!stub || vaddr >= stub->end)
        return false;
    *match = (struct symtab_match){stub->name, vaddr - stub->start, true};
    return true;
}
