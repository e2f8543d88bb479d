// SPDX-License-Identifier: MIT
#include "unwind/fde_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"
#include "unwind/cfi.h"

// Pointer encodings (DW_EH_PE_*) of an .eh_frame_hdr as GNU ld, gold, lld and mold write it.
#define PCREL_SDATA4 0x1b
#define UDATA4 0x03
#define DATAREL_SDATA4 0x3b // also says that the table is sorted

#define HEADER_SIZE 12 // version, three encodings, pointer to .eh_frame, count
#define ENTRY_SIZE 8   // int32_t pc, int32_t FDE, both relative to the header

struct fde_table {
    uint64_t start, end;     // text that it covers
    uint64_t hdr;            // address of .eh_frame_hdr, if `built` is NULL
    struct fde_entry *built; // our own table from .eh_frame; owned, sorted
    uint32_t count;          // entries; 0: the table is not usable
};

void fde_index_flush(struct fde_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        free(index->tables[i].built);
    index->count = 0;
}

void fde_index_fini(struct fde_index *index)
{
    fde_index_flush(index);
    free(index->tables);
    *index = (struct fde_index){0};
}

// Returns the number of entries, 0 if the header does not have the usual encodings.
static uint32_t decode_header(struct code_memory *memory, const struct unwind_table *at)
{
    unsigned char header[HEADER_SIZE];
    uint32_t count;
    static const unsigned char usual[] = {1, PCREL_SDATA4, UDATA4, DATAREL_SDATA4};
    if (at->hdr_size < HEADER_SIZE || at->hdr > UINT64_MAX - at->hdr_size ||
        !code_memory_read(memory, at->hdr, header, HEADER_SIZE) ||
        memcmp(header, usual, sizeof usual) != 0)
        return 0;
    memcpy(&count, header + 8, sizeof count);
    return count <= (at->hdr_size - HEADER_SIZE) / ENTRY_SIZE ? count : 0;
}

static void build(struct fde_table *table, struct code_memory *memory,
                  const struct unwind_table *at)
{
    size_t count = 0, capacity = 0;
    uint64_t address = at->frames, start, fde;
    if (at->frames_size > UINT32_MAX || address > UINT64_MAX - at->frames_size)
        return;
    while (fde = address, address < at->frames + at->frames_size &&
                              cfi_next(memory, &address, &start)) {
        if (!start)
            continue;
        ARRAY_RESERVE(table->built, count, capacity);
        table->built[count++] = (struct fde_entry){start, fde};
    }
    ascending_sort(table->built, count, sizeof *table->built);
    table->count = (uint32_t)count;
}

static const struct fde_table *table_get(struct fde_index *index, struct code_memory *memory,
                                         uint64_t pc)
{
    for (size_t i = 0; i < index->count; i++)
        if (pc >= index->tables[i].start && pc < index->tables[i].end)
            return &index->tables[i];
    struct unwind_table at = {0};
    if (!memory->source.table(memory->source.context, pc, &at) || pc < at.start || pc >= at.end)
        return NULL;
    ARRAY_RESERVE(index->tables, index->count, index->capacity);
    struct fde_table *table = &index->tables[index->count++];
    *table = (struct fde_table){.start = at.start, .end = at.end, .hdr = at.hdr};
    if (at.hdr_size)
        table->count = decode_header(memory, &at);
    else
        build(table, memory, &at);
    return table;
}

static bool entry_read(const struct fde_table *table, struct code_memory *memory, uint32_t at,
                       struct fde_entry *entry)
{
    int32_t relative[2];
    if (table->built) {
        *entry = table->built[at];
        return true;
    }
    if (!code_memory_read(memory, table->hdr + HEADER_SIZE + (uint64_t)at * ENTRY_SIZE, relative,
                          ENTRY_SIZE))
        return false;
    entry->pc = table->hdr + (uint64_t)(int64_t)relative[0];
    entry->fde = table->hdr + (uint64_t)(int64_t)relative[1];
    return true;
}

// Counts the entries that begin at or before pc. Returns false if one cannot be read.
static bool count_up_to(const struct fde_table *table, struct code_memory *memory, uint64_t pc,
                        uint32_t *count)
{
    uint32_t low = 0, high = table ? table->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct fde_entry entry;
        if (!entry_read(table, memory, middle, &entry))
            return false;
        if (pc < entry.pc)
            high = middle;
        else
            low = middle + 1;
    }
    *count = low;
    return true;
}

bool fde_index_find(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    struct fde_entry *entry)
{
    const struct fde_table *table = table_get(index, memory, pc);
    uint32_t count;
    return count_up_to(table, memory, pc, &count) && count &&
           entry_read(table, memory, count - 1, entry);
}

bool fde_index_next(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    struct fde_entry *entry)
{
    const struct fde_table *table = table_get(index, memory, pc);
    uint32_t count;
    return count_up_to(table, memory, pc, &count) && table && count < table->count &&
           entry_read(table, memory, count, entry);
}
