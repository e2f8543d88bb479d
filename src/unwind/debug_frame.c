// SPDX-License-Identifier: MIT
#include "unwind/debug_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"

// A module has 2^MODULE_BITS pretended addresses: its code at the beginning, the section at
// SECTION_AT, near enough for 32-bit relative pointers.
#define MODULE_BITS 32
#define SECTION_AT (1ull << 30)
#define SECTION_MAX (64u << 20) // bytes
#define TABLES_MAX (1u << 20)

#define CIE_ID 0xffffffffu
#define HEAD 8u // bytes of length and id of a record
#define AUGMENTATION (HEAD + 1)

struct debug_entry { // all are pretended addresses
    uint64_t start, end, fde;
};

struct debug_table {
    uint64_t start, end;    // text that it covers, addresses in the target
    unsigned char *section; // rewritten, owned; a multiple of 8 bytes
    size_t size;
    struct debug_entry *entries; // sorted
    size_t count, capacity;
};

void debug_frames_flush(struct debug_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++) {
        free(frames->tables[i].section);
        free(frames->tables[i].entries);
    }
    frames->count = 0;
}

void debug_frames_fini(struct debug_frames *frames)
{
    debug_frames_flush(frames);
    free(frames->tables);
    *frames = (struct debug_frames){0};
}

static uint32_t word_at(const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t quad_at(const unsigned char *bytes)
{
    uint64_t quad;
    memcpy(&quad, bytes, sizeof quad);
    return quad;
}

// Rewrites a CIE as version 3. Version 4 has two more fields, of which only the usual values are
// accepted. An augmentation is refused.
static bool rewrite_cie(unsigned char *record, size_t size)
{
    static const unsigned char usual[] = {8, 0}; // sizes of an address, of a segment selector
    uint32_t id = 0;
    if (size < HEAD + 5 || record[AUGMENTATION])
        return false;
    memcpy(record + 4, &id, sizeof id);
    if (record[HEAD] != 4)
        return true;
    unsigned char *sizes = record + AUGMENTATION + 1;
    if (memcmp(sizes, usual, sizeof usual) != 0)
        return false;
    record[HEAD] = 3;
    memmove(sizes, sizes + 2, size - (size_t)(sizes - record) - 2);
    memset(record + size - 2, 0, 2); // DW_CFA_nop
    return true;
}

// The CIE pointer of an FDE is an offset in the section here, but relative to itself in .eh_frame.
static void rewrite_fde(struct debug_table *table, size_t at, size_t size, uint64_t shift,
                        uint64_t base)
{
    unsigned char *record = table->section + at;
    if (size < HEAD + 16 || word_at(record + 4) >= at)
        return;
    uint32_t distance = (uint32_t)(at + 4) - word_at(record + 4);
    uint64_t start = quad_at(record + HEAD) + shift, length = quad_at(record + HEAD + 8);
    memcpy(record + 4, &distance, sizeof distance);
    memcpy(record + HEAD, &start, sizeof start);
    if (start < base || start - base >= SECTION_AT || !length || length > SECTION_AT)
        return; // its code is not mapped here
    ARRAY_RESERVE(table->entries, table->count, table->capacity);
    table->entries[table->count++] =
        (struct debug_entry){start, start + length, base + SECTION_AT + at};
}

static void rewrite(struct debug_table *table, uint64_t bias, uint64_t base)
{
    uint64_t shift = bias - table->start + base;
    for (size_t at = 0; table->size - at >= HEAD;) {
        uint32_t length = word_at(table->section + at);
        if (length < 4 || length > table->size - at - 4)
            break; // also if it is 64-bit DWARF
        if (word_at(table->section + at + 4) != CIE_ID)
            rewrite_fde(table, at, length + 4, shift, base);
        else if (!rewrite_cie(table->section + at, length + 4))
            memset(table->section + at + 4, 0xff, 4); // no CIE in .eh_frame, so cfi.c refuses it
        at += length + 4;
    }
    ascending_sort(table->entries, table->count, sizeof *table->entries);
}

static uint64_t base_of(const struct debug_frames *frames, const struct debug_table *table)
{
    return DEBUG_FRAME_BASE + ((uint64_t)(table - frames->tables) << MODULE_BITS);
}

static void load(struct debug_frames *frames, struct debug_table *table,
                 const struct code_section *section)
{
    if (section->size < HEAD || section->size > SECTION_MAX || table->end < table->start ||
        table->end - table->start > SECTION_AT)
        return;
    table->size = (section->size + 7) & ~(size_t)7;
    table->section = xcalloc(1, table->size);
    memcpy(table->section, section->bytes, section->size);
    rewrite(table, section->bias, base_of(frames, table));
}

static const struct debug_table *table_get(struct debug_frames *frames,
                                           const struct code_source *source, uint64_t pc)
{
    for (size_t i = 0; i < frames->count; i++)
        if (pc >= frames->tables[i].start && pc < frames->tables[i].end)
            return &frames->tables[i];
    struct code_section section = {0};
    if (!source->debug_frame || frames->count == TABLES_MAX ||
        !source->debug_frame(source->context, pc, &section))
        return NULL;
    ARRAY_RESERVE(frames->tables, frames->count, frames->capacity);
    struct debug_table *table = &frames->tables[frames->count++];
    *table = (struct debug_table){.start = section.start, .end = section.end};
    if (section.bytes)
        load(frames, table, &section);
    return table;
}

static const struct debug_entry *find(const struct debug_table *table, uint64_t pretended)
{
    const struct debug_entry *entry =
        ascending_last(table->entries, table->count, sizeof *entry, pretended);
    return entry && pretended < entry->end ? entry : NULL;
}

bool debug_frames_find(struct debug_frames *frames, const struct code_source *source, uint64_t pc,
                       uint64_t *pretended)
{
    const struct debug_table *table = table_get(frames, source, pc);
    if (!table || !table->count)
        return false;
    *pretended = pc - table->start + base_of(frames, table);
    return find(table, *pretended);
}

static const struct debug_table *table_at(const struct debug_frames *frames, uint64_t address)
{
    uint64_t index = (address - DEBUG_FRAME_BASE) >> MODULE_BITS;
    return address >= DEBUG_FRAME_BASE && frames && index < frames->count ? &frames->tables[index]
                                                                          : NULL;
}

bool debug_frames_entry(const struct debug_frames *frames, uint64_t pretended, uint64_t *fde)
{
    const struct debug_table *table = table_at(frames, pretended);
    const struct debug_entry *entry = table ? find(table, pretended) : NULL;
    if (entry)
        *fde = entry->fde;
    return entry;
}

bool debug_frames_read(const struct debug_frames *frames, uint64_t address, void *to,
                       size_t length)
{
    const struct debug_table *table = table_at(frames, address);
    if (!table)
        return false;
    uint64_t at = address - base_of(frames, table) - SECTION_AT;
    if (at > table->size || length > table->size - at)
        return false;
    memcpy(to, table->section + at, length);
    return true;
}
