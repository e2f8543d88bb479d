// SPDX-License-Identifier: MIT
// Objects of CPython by their type, and what has no type and is known all the same: tables of keys
// by their structure, and large arrays by the object whose they are, which has to say so still.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/kinds.h"
#include "heap/python_keys.h"
#include "heap/python_types.h"

#define REFERENCES_MAX (1ull << 33) // immortal objects have 2^32 - 1, most pointers are more
#define SLACK 32u        // bytes that a block may have more than its table of keys needs
#define DEBUG_GUARD 0xfdfdfdfdfdfdfdull
#define DEBUG_HEAD 16u   // what PYTHONMALLOC=debug puts in front of what is allocated
#define SMALL 512u       // bytes of what pymalloc has; larger arrays are visited after their owners
#define OWNERS_MAX 65536u

// Types of objects whose items are in a block of their own: offsets of its address and of the
// number of items.
static const struct owner_type {
    const char *symbol, *name;
    uint32_t items, count, bytes;
    uint32_t more; // items beyond the count
} owner_types[] = {
    {"PyList_Type", "list items", 24, 32, 8, 0},
    {"PySet_Type", "set table", 40, 32, 16, 1}, // a mask
    {"PyFrozenSet_Type", "set table", 40, 32, 16, 1},
    {"PyByteArray_Type", "bytearray bytes", 32, 24, 1, 0},
};

#define OWNER_TYPES ARRAY_LENGTH(owner_types)

struct owner {
    uint64_t pointer; // address of its pointer to the items
    uint32_t number;  // of the kind that they are
};

struct python_objects {
    struct python_types types;
    uint64_t readings;    // of the target's mappings when all this was learnt
    uint32_t keys, values; // numbers of the kinds of such tables
    uint64_t owner_types[OWNER_TYPES];
    uint32_t item_kinds[OWNER_TYPES];
    struct map by_items;  // address of items -> index in owners
    struct owner *owners;
    size_t count, capacity;
};

static uint64_t word(const unsigned char *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

static void end(void *state)
{
    struct python_objects *objects = state;
    python_types_fini(&objects->types);
    map_fini(&objects->by_items);
    free(objects->owners);
    free(objects);
}

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    struct python_objects *objects = xcalloc(1, sizeof *objects);
    python_types_init(&objects->types, kinds, target);
    if (!objects->types.python.type) {
        end(objects);
        return NULL;
    }
    objects->keys = kinds_number(kinds, BLOCK_PYTHON, "dict keys");
    objects->values = kinds_number(kinds, BLOCK_PYTHON, "dict values");
    for (size_t i = 0; i < OWNER_TYPES; i++) {
        uint64_t size;
        objects->item_kinds[i] = kinds_number(kinds, BLOCK_PYTHON, owner_types[i].name);
        if (!cpython_variable(target, owner_types[i].symbol, &objects->owner_types[i], &size))
            objects->owner_types[i] = 0;
    }
    return objects;
}

// Remembers where an object has its items, when those are in a block that is visited later.
static void note_items(struct python_objects *objects, uint64_t type, const unsigned char *object,
                       size_t have, uint64_t address)
{
    for (size_t i = 0; i < OWNER_TYPES; i++) {
        const struct owner_type *owner = &owner_types[i];
        if (objects->owner_types[i] != type || have < owner->items + 8 || have < owner->count + 8)
            continue;
        uint64_t count = word(object, owner->count);
        if (count < SMALL / owner->bytes || objects->count >= OWNERS_MAX)
            return;
        map_put(&objects->by_items, word(object, owner->items), (uint32_t)objects->count);
        ARRAY_RESERVE(objects->owners, objects->count, objects->capacity);
        objects->owners[objects->count++] =
            (struct owner){address + owner->items, objects->item_kinds[i]};
        return;
    }
}

// An object may have 0, 16 or 32 bytes in front of it, and its type says how many.
static uint32_t object_in(struct python_objects *objects, const struct block *block)
{
    for (size_t head = 0; head <= 32 && head + 16 <= block->have; head += 16) {
        const unsigned char *object = block->bytes + head;
        uint64_t references = word(object, 0), address = word(object, 8);
        if (!references || references >= REFERENCES_MAX || !address || address % 8)
            continue;
        const struct python_type *type = python_types_find(&objects->types, address);
        if (!type || type->head != head || head + type->basic > block->usable)
            continue;
        note_items(objects, address, object, block->have - head, block->address + head);
        return type->number;
    }
    return 0;
}

static bool is_keys(const struct python_objects *objects, const struct block *block)
{
    struct python_keys keys;
    if (block->have < PYTHON_KEYS_HEAD ||
        !python_keys_parse(&keys, objects->types.python.minor, block->bytes) ||
        keys.bytes > block->usable || block->usable - keys.bytes >= SLACK)
        return false;
    const struct proc_map *code =
        keys.lookup ? heap_target_region(objects->types.target, keys.lookup) : NULL;
    return !keys.lookup || (code && code->executable);
}

static uint32_t items_at(const struct python_objects *objects, uint64_t address)
{
    uint64_t items;
    uint32_t index = map_get(&objects->by_items, address, UINT32_MAX);
    if (index == UINT32_MAX)
        return 0;
    const struct owner *owner = &objects->owners[index];
    bool still = heap_view_read(&objects->types.target->view, owner->pointer, &items,
                                sizeof items) && items == address;
    return still ? owner->number : 0;
}

static bool has_debug_head(const struct block *block)
{
    return block->have > DEBUG_HEAD && word(block->bytes, 8) >> 8 == DEBUG_GUARD &&
           (block->bytes[8] == 'r' || block->bytes[8] == 'm' || block->bytes[8] == 'o');
}

// With PYTHONMALLOC=debug there are in front of a block its size, a letter for the kind of memory
// and bytes 0xfd; twice when pymalloc had it from malloc.
static struct block without_debug_heads(struct block block)
{
    for (int i = 0; i < 2 && has_debug_head(&block); i++) {
        uint64_t size = __builtin_bswap64(word(block.bytes, 0));
        block.usable -= DEBUG_HEAD;
        block.usable = size < block.usable ? size : block.usable;
        block.have -= DEBUG_HEAD;
        block.have = size < block.have ? size : block.have;
        block.bytes += DEBUG_HEAD;
        block.address += DEBUG_HEAD;
    }
    return block;
}

static void forget(struct python_objects *objects)
{
    python_types_clear(&objects->types);
    map_clear(&objects->by_items);
    objects->count = 0;
    objects->readings = objects->types.target->readings;
}

static uint32_t recognize(void *state, const struct block *whole)
{
    struct python_objects *objects = state;
    if (objects->readings != objects->types.target->readings)
        forget(objects);
    const struct block block = without_debug_heads(*whole);
    uint32_t number = object_in(objects, &block);
    if (!number && is_keys(objects, &block))
        return objects->keys;
    if (!number && python_values_fit(objects->types.python.minor, block.bytes, block.have,
                                     block.usable))
        return objects->values;
    if (!number && block.usable > SMALL - 2 * DEBUG_HEAD)
        return items_at(objects, block.address);
    return number;
}

const struct recognizer recognizer_python = {
    .signs = SIGN_ANY,
    .begin = begin,
    .recognize = recognize,
    .end = end,
};
