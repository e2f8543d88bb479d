// SPDX-License-Identifier: MIT
#include "heap/python_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/python_keys.h"

#define TYPES_MAX 65536u     // of others nothing is said then
#define REFUSED_MAX (1u << 20) // a heap has thousands; in one that costs more all is unknown then
#define METATYPES 8          // between a type and PyType_Type
#define KEYS_LOOKED_AT 64u   // of a type's dict

enum { // offsets in PyTypeObject
    REFERENCES = 0,
    OWN_TYPE = 8,
    NAME = 24,
    BASIC_SIZE = 32,
    FLAGS = 168,
    DICT = 264,
    TYPE_BYTES = 272, // that are looked at
};

enum { // tp_flags
    FLAG_MANAGED = 3u << 3, // dict or weak references in front of the object; since 3.11
    FLAG_HEAP_TYPE = 1u << 9,
    FLAG_READY = 1u << 12,
    FLAG_COLLECTED = 1u << 14,
    FLAG_TYPE = 1u << 31,
};

#define DICT_KEYS 32u // offset in a dict

static uint64_t word(const unsigned char *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

void python_types_init(struct python_types *types, struct kinds *kinds, struct heap_target *target)
{
    types->kinds = kinds;
    types->target = target;
    if (!cpython_find(target, &types->python))
        types->python = (struct cpython){0};
}

void python_types_fini(struct python_types *types)
{
    map_fini(&types->by_address);
    free(types->list);
}

void python_types_clear(struct python_types *types)
{
    map_clear(&types->by_address);
    types->count = 0;
    types->module_key = 0;
    memset(types->none, 0, sizeof types->none);
    types->refused = 0;
}

// The types of types end in PyType_Type, and say of themselves that they are.
static bool is_metatype(const struct python_types *types, uint64_t address)
{
    unsigned char bytes[TYPE_BYTES];
    for (int i = 0; i < METATYPES; i++) {
        if (address == types->python.type)
            return true;
        if (!heap_view_read(&types->target->view, address, bytes, sizeof bytes) ||
            !(word(bytes, FLAGS) & FLAG_TYPE))
            return false;
        address = word(bytes, OWN_TYPE);
    }
    return false;
}

static bool is_type(const struct python_types *types, const unsigned char *bytes)
{
    return (int64_t)word(bytes, REFERENCES) > 0 && word(bytes, FLAGS) & FLAG_READY &&
           word(bytes, BASIC_SIZE) >= 16 && word(bytes, BASIC_SIZE) < 1u << 24 &&
           is_metatype(types, word(bytes, OWN_TYPE));
}

// Where ht_qualname lies: behind the type and the tables of its methods.
static uint64_t qualified_name_offset(const struct cpython *python)
{
    uint64_t async = python->minor >= 10 ? 32 : 24; // am_send
    uint64_t number = 288, mapping = 24, sequence = 80, buffer = 16, before = 16;
    return python->type_size + async + number + mapping + sequence + buffer + before;
}

static bool is_module_key(struct python_types *types, uint64_t key)
{
    char text[CPYTHON_TEXT_MAX];
    if (types->module_key)
        return key == types->module_key;
    if (!cpython_text(types->target, &types->python, key, text) || strcmp(text, "__module__") != 0)
        return false;
    types->module_key = key;
    return true;
}

// Finds "__module__" among the first keys of the type's dict: a class statement puts it there.
static bool module_of(struct python_types *types, uint64_t dict, char *text)
{
    struct heap_view *view = &types->target->view;
    unsigned char head[PYTHON_KEYS_HEAD], entry[24];
    struct python_keys keys;
    uint64_t address;
    if (!dict || !heap_view_read(view, dict + DICT_KEYS, &address, sizeof address) ||
        !heap_view_read(view, address, head, sizeof head) ||
        !python_keys_parse(&keys, types->python.minor, head))
        return false;
    for (uint64_t i = 0; i < keys.used && i < KEYS_LOOKED_AT; i++) {
        uint64_t at = address + keys.entries + i * keys.entry;
        if (!heap_view_read(view, at, entry, keys.entry))
            return false;
        size_t key = keys.entry == 24 ? 8 : 0; // behind its hash
        if (is_module_key(types, word(entry, key)))
            return cpython_text(types->target, &types->python, word(entry, key + 8), text);
    }
    return false;
}

// A class of the program has a name without its module; it is looked up for those only.
static bool qualify(struct python_types *types, uint64_t address, const unsigned char *bytes,
                    char *name, size_t size)
{
    uint64_t text;
    char qualified[CPYTHON_TEXT_MAX], module[CPYTHON_TEXT_MAX];
    if (!(word(bytes, FLAGS) & FLAG_HEAP_TYPE) || !types->python.minor ||
        !heap_view_read(&types->target->view, address + qualified_name_offset(&types->python),
                        &text, sizeof text) ||
        !cpython_text(types->target, &types->python, text, qualified))
        return false;
    if (module_of(types, word(bytes, DICT), module) && strcmp(module, "builtins") != 0)
        snprintf(name, size, "%s.%s", module, qualified);
    else
        snprintf(name, size, "%s", qualified);
    return true;
}

static bool add_type(struct python_types *types, uint64_t address)
{
    unsigned char bytes[TYPE_BYTES];
    char name[2 * CPYTHON_TEXT_MAX];
    const struct proc_map *map = heap_target_region(types->target, address);
    if (!map || !map->writable || types->count >= TYPES_MAX ||
        !heap_view_read(&types->target->view, address, bytes, sizeof bytes) ||
        !is_type(types, bytes))
        return false;
    if (!qualify(types, address, bytes, name, sizeof name) &&
        !(cpython_name(types->target, word(bytes, NAME), name, sizeof name) && *name))
        return false;
    uint64_t flags = word(bytes, FLAGS);
    map_put(&types->by_address, address, (uint32_t)types->count);
    ARRAY_RESERVE(types->list, types->count, types->capacity);
    types->list[types->count++] = (struct python_type){
        .number = kinds_number(types->kinds, BLOCK_PYTHON, name),
        .head = (flags & FLAG_COLLECTED ? 16 : 0) + (flags & FLAG_MANAGED ? 16 : 0),
        .basic = address == types->python.str ? 0 : word(bytes, BASIC_SIZE), // most are compact
    };
    return true;
}

const struct python_type *python_types_find(struct python_types *types, uint64_t address)
{
    uint32_t index = map_get(&types->by_address, address, UINT32_MAX);
    if (index != UINT32_MAX)
        return &types->list[index];
    uint64_t *none = &types->none[map_hash(address) % PYTHON_NO_TYPES];
    if (*none == address || types->refused >= REFUSED_MAX)
        return NULL;
    if (add_type(types, address))
        return &types->list[types->count - 1];
    *none = address;
    types->refused++;
    return NULL;
}
