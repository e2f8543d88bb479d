// SPDX-License-Identifier: MIT
#include "symbol/reader/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"
#include "symbol/reader/section.h"

#define OBJECTS_MAX 4000000u
#define SYMBOL_BYTES_MAX ((uint64_t)OBJECTS_MAX * sizeof(Elf64_Sym))

struct objects {
    struct object *list; // ascending, one for each address
    size_t count, capacity;
};

static void add(struct objects *objects, const GElf_Sym *symbol, const char *name)
{
    if (GELF_ST_TYPE(symbol->st_info) != STT_OBJECT || symbol->st_shndx == SHN_UNDEF ||
        !symbol->st_size || symbol->st_value > UINT64_MAX - symbol->st_size || !name || !*name)
        return;
    ARRAY_RESERVE(objects->list, objects->count, objects->capacity);
    objects->list[objects->count++] = (struct object){
        symbol->st_value, symbol->st_size, name, GELF_ST_BIND(symbol->st_info)};
}

static void read_table(struct objects *objects, const struct image *image, uint32_t type)
{
    struct section section;
    if (!section_find(image->elf, type, NULL, &section))
        return;
    struct string_table names = string_table_read(image->elf, section.header.sh_link);
    Elf_Data *data = section_data(&section, SYMBOL_BYTES_MAX);
    size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
    for (size_t i = 1; i < count && objects->count < OBJECTS_MAX; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol))
            add(objects, &symbol, string_table_get(&names, symbol.st_name));
    }
}

// Of several names for one address the global one comes first, then that of the largest object.
static int compare(const void *left, const void *right)
{
    const struct object *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if ((a->binding == STB_LOCAL) != (b->binding == STB_LOCAL))
        return a->binding == STB_LOCAL ? 1 : -1;
    return a->size > b->size ? -1 : a->size < b->size;
}

struct objects *objects_new(struct image *image)
{
    struct objects *objects = xcalloc(1, sizeof *objects);
    if (image_keep_elf(image)) { // the names point into libelf's data
        read_table(objects, image, SHT_SYMTAB);
        read_table(objects, image, SHT_DYNSYM);
    }
    if (objects->count)
        qsort(objects->list, objects->count, sizeof *objects->list, compare);
    size_t kept = 0;
    for (size_t i = 0; i < objects->count; i++) {
        const struct object *object = &objects->list[i];
        if (kept && objects->list[kept - 1].address == object->address)
            continue;
        objects->list[kept++] = *object;
    }
    objects->count = kept;
    return objects;
}

void objects_free(struct objects *objects)
{
    if (!objects)
        return;
    free(objects->list);
    free(objects);
}

const struct object *objects_find(const struct objects *objects, uint64_t vaddr)
{
    // Objects should not overlap. If they do, the one that begins nearest below the address counts.
    const struct object *object =
        ascending_last(objects->list, objects->count, sizeof *object, vaddr);
    return object && vaddr - object->address < object->size ? object : NULL;
}

const struct object *objects_named(const struct objects *objects, const char *name)
{
    const struct object *found = NULL;
    for (size_t i = 0; i < objects->count; i++) {
        const struct object *object = &objects->list[i];
        if (strcmp(object->name, name) == 0 && (!found || object->binding != STB_LOCAL))
            found = object;
    }
    return found;
}
