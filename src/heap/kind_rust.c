// SPDX-License-Identifier: MIT
// Values of Rust that are used through a trait: Box<dyn Trait> and its like. A block says nothing
// about itself; who owns it has its address beside that of a table of the type: how to drop it,
// size, alignment, methods. So pairs of such words are remembered, and the next walk knows the
// blocks. A type is named where the symbols of its drop and of a method agree: compilers let
// functions of equal code be one, so one name alone does not vouch. A pair may have been left
// behind by a value that has gone; then it has to fit what is there now, and no other recognizer
// knows it.
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "heap/evidence.h"
#include "heap/file_memory.h"
#include "heap/kinds.h"
#include "heap/rust_type.h"
#include "symbol/symbolizer.h"

#define VALUES_MAX (1u << 20) // whose addresses are remembered
#define TABLES_MAX 65536u     // words that may lead to a table
#define METHODS 4u            // that are looked at
#define PIECE 4096u           // bytes of a block that are read at once
#define PIECES_MAX 32768u     // in one walk
#define SIZE_MAX_OF_TYPE (1ull << 40)
#define NO_TYPE 0u            // first of the list

struct rust_table { // as it lies in memory
    uint64_t drop, size, alignment;
    uint64_t methods[METHODS];
};

struct rust_kind {
    uint64_t size;   // of a value
    uint32_t number; // of kinds
};

struct rust {
    struct kinds *kinds;
    struct file_memory memory;
    struct symbolizer *symbolizer;
    struct map by_table; // address of a table -> in the list
    struct map by_value; // address of a value -> in the list
    struct rust_kind *list;
    size_t count, capacity;
    size_t known;  // values, when that was last asked
    size_t pieces; // of blocks that were read, since then
};

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    if (!evidence_of_program(target, "/rustc/"))
        return NULL;
    struct rust *rust = xcalloc(1, sizeof *rust);
    rust->kinds = kinds;
    rust->memory.target = target;
    rust->symbolizer = symbolizer_new(target->modules);
    symbolizer_isolate(rust->symbolizer);
    ARRAY_RESERVE(rust->list, rust->count, rust->capacity);
    rust->list[rust->count++] = (struct rust_kind){0};
    return rust;
}

static void end(void *state)
{
    struct rust *rust = state;
    file_memory_fini(&rust->memory);
    symbolizer_free(rust->symbolizer);
    map_fini(&rust->by_table);
    map_fini(&rust->by_value);
    free(rust->list);
    free(rust);
}

static bool is_code(const struct rust *rust, uint64_t address)
{
    const struct proc_map *map = heap_target_region(rust->memory.target, address);
    return map && map->executable;
}

// Returns the name of the function that begins there, or "".
static const char *name_of(const struct rust *rust, uint64_t address)
{
    uint64_t offset;
    const struct area *area = space_locate(rust->memory.target->space, address, &offset);
    if (!area)
        return "";
    const struct symbol *symbol = symbolizer_lookup(rust->symbolizer, area->mapping->id, offset);
    bool begins = symbol->found && !symbol->offset;
    return begins ? symbol->lines[symbol->line_count - 1].name : "";
}

static bool has_method(const struct rust *rust, const struct rust_table *table, const char *type)
{
    for (size_t i = 0; i < METHODS && is_code(rust, table->methods[i]); i++)
        if (rust_type_has(type, name_of(rust, table->methods[i])))
            return true;
    return false;
}

static bool is_table(const struct rust *rust, const struct rust_table *table)
{
    uint64_t alignment = table->alignment;
    return alignment && alignment <= 4096 && (alignment & (alignment - 1)) == 0 && table->size &&
           table->size % alignment == 0 && table->size < SIZE_MAX_OF_TYPE &&
           is_code(rust, table->drop) && is_code(rust, table->methods[0]);
}

static uint32_t read_type(struct rust *rust, uint64_t address)
{
    struct rust_table table = {0};
    AUTO_BUF struct buf type = {0};
    size_t least = offsetof(struct rust_table, methods[1]);
    if (!file_memory_read(&rust->memory, address, &table, sizeof table) &&
        !file_memory_read(&rust->memory, address, &table, least))
        return NO_TYPE;
    if (!is_table(rust, &table) || !rust_type_dropped(name_of(rust, table.drop), &type) ||
        !has_method(rust, &table, type.data))
        return NO_TYPE;
    ARRAY_RESERVE(rust->list, rust->count, rust->capacity);
    rust->list[rust->count] =
        (struct rust_kind){table.size, kinds_number(rust->kinds, BLOCK_RUST, type.data)};
    return (uint32_t)rust->count++;
}

static uint32_t type_of(struct rust *rust, uint64_t table)
{
    uint32_t type = map_get(&rust->by_table, table, UINT32_MAX);
    if (type != UINT32_MAX)
        return type;
    if (rust->by_table.count >= TABLES_MAX)
        return NO_TYPE;
    type = read_type(rust, table);
    map_put(&rust->by_table, table, type);
    return type;
}

// Looks at pairs of words. Returns whether one of them is of a value and a table.
static bool remember_values(struct rust *rust, const unsigned char *bytes, size_t length)
{
    bool any = false;
    for (size_t at = 0; at + 16 <= length && rust->by_value.count < VALUES_MAX; at += 8) {
        uint64_t pair[2];
        __builtin_memcpy(pair, bytes + at, sizeof pair);
        if (pair[0] % 8 || pair[0] < 4096 || !file_memory_may_hold(&rust->memory, pair[1]))
            continue;
        uint32_t type = type_of(rust, pair[1]);
        if (type == NO_TYPE)
            continue;
        map_put(&rust->by_value, pair[0], type);
        any = true;
    }
    return any;
}

// Looks at the rest of a block that has begun with such pairs: the buffer of a Vec has many.
static void remember_more(struct rust *rust, const struct block *block)
{
    struct heap_view *view = &rust->memory.target->view;
    unsigned char bytes[PIECE];
    for (uint64_t at = block->have - 8; at + 16 <= block->usable; at += PIECE - 8) {
        size_t length = block->usable - at < PIECE ? (size_t)(block->usable - at) : PIECE;
        bool seen = heap_view_peek(view, block->address + at, bytes, length);
        if (!seen && (rust->pieces++ >= PIECES_MAX ||
                      !heap_view_read(view, block->address + at, bytes, length)))
            return;
        remember_values(rust, bytes, length);
    }
}

// The two counters of an Arc may be in front of the value; an allocator rounds sizes up. What lies
// in a larger block is one of several, or a part.
static bool fits(const struct rust_kind *kind, const struct block *block)
{
    return block->usable >= kind->size && block->usable - kind->size <= 40 + kind->size / 4;
}

// Mappings are read anew for each census: what was remembered for the last one may have gone.
static void forget(struct rust *rust)
{
    file_memory_refresh(&rust->memory);
    map_clear(&rust->by_table);
    map_clear(&rust->by_value);
    rust->known = 0;
    rust->pieces = 0;
}

static uint32_t recognize(void *state, const struct block *block)
{
    struct rust *rust = state;
    if (!file_memory_is_current(&rust->memory))
        forget(rust);
    if (remember_values(rust, block->bytes, block->have) && block->have < block->usable)
        remember_more(rust, block);
    const struct rust_kind *kind = &rust->list[map_get(&rust->by_value, block->address, NO_TYPE)];
    return kind->number && fits(kind, block) ? kind->number : 0;
}

static bool learnt(void *state)
{
    struct rust *rust = state;
    size_t known = rust->known;
    rust->known = rust->by_value.count;
    rust->pieces = 0;
    return rust->known > known;
}

const struct recognizer recognizer_rust = {
    .signs = SIGN_ANY,
    .begin = begin,
    .recognize = recognize,
    .learnt = learnt,
    .end = end,
};
