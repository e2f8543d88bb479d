// SPDX-License-Identifier: MIT
#include "heap/vtable.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "symbol/reader/demangle.h"

#define DESCRIPTIONS_MAX 4096u
#define SMALL (1ll << 31)     // distances in a table are below that
#define VIRTUAL_BASES_MAX 64u // words in front of a table, of its virtual bases and functions
#define SLOW NS_PER_S         // of a question about a symbol: the same file is not asked again

struct table_head { // as it lies in memory; an object points behind it
    int64_t offset_to_top;
    uint64_t description;
    uint64_t function; // the first one
};

struct description { // std::type_info
    uint64_t table;
    uint64_t name;
};

void vtables_refresh(struct vtables *tables)
{
    file_memory_refresh(&tables->memory);
    map_clear(&tables->descriptions);
}

void vtables_fini(struct vtables *tables)
{
    file_memory_fini(&tables->memory);
    map_fini(&tables->descriptions);
    map_fini(&tables->hopeless);
}

static bool read_description(const struct vtables *tables, uint64_t address,
                             struct description *description)
{
    return address % 8 == 0 &&
           file_memory_read(&tables->memory, address, description, sizeof *description);
}

// Returns whether descriptions that begin with this word are of classes: it is the table of one of
// the three such classes, as its own description says.
static bool read_whether_of_classes(const struct vtables *tables, uint64_t word)
{
    static const char *const names[] = {"N10__cxxabiv117__class_type_infoE",
                                        "N10__cxxabiv120__si_class_type_infoE",
                                        "N10__cxxabiv121__vmi_class_type_infoE"};
    uint64_t its;
    struct description description;
    char name[64];
    if (word % 8 || word < 8 || !file_memory_read(&tables->memory, word - 8, &its, sizeof its) ||
        !read_description(tables, its, &description) ||
        !file_memory_text(&tables->memory, description.name, name, sizeof name))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(name + (name[0] == '*'), names[i]) == 0)
            return true;
    return false;
}

static bool is_of_class(struct vtables *tables, const struct description *description)
{
    uint32_t known = map_get(&tables->descriptions, description->table, UINT32_MAX);
    if (known == UINT32_MAX) {
        known = read_whether_of_classes(tables, description->table);
        if (tables->descriptions.count < DESCRIPTIONS_MAX)
            map_put(&tables->descriptions, description->table, known);
    }
    return known;
}

// Demangles `mangled`, which becomes "ABOUT the type", and puts the type into `name`.
static bool put_type(const char *mangled, const char *about, struct buf *name)
{
    AUTO_FREE char *plain = demangle(mangled);
    size_t length = strlen(about);
    if (!plain || strncmp(plain, about, length) != 0 || !plain[length])
        return false;
    buf_clear(name);
    buf_puts(name, plain + length);
    return true;
}

static bool is_mangled(const char *text)
{
    while (isalnum((unsigned char)*text) || *text == '_' || *text == '$' || *text & 0x80)
        text++;
    return !*text;
}

// The name of a type that only one file knows begins with '*'.
static bool name_of_description(struct vtables *tables, uint64_t address, struct buf *name)
{
    struct description description;
    char mangled[4 + SYMBOL_NAME_MAX + 1] = "_ZTS";
    char *type = mangled + 4;
    if (!read_description(tables, address, &description) || !is_of_class(tables, &description) ||
        !file_memory_text(&tables->memory, description.name, type, SYMBOL_NAME_MAX))
        return false;
    if (type[0] == '*')
        memmove(type, type + 1, strlen(type));
    return is_mangled(type) && put_type(mangled, "typeinfo name for ", name);
}

// Returns whether only distances lie in [from, to): those of virtual bases, in front of the part of
// a table that an object's start points to. In front of other parts there are functions.
static bool are_distances(const struct vtables *tables, uint64_t from, uint64_t to)
{
    int64_t words[VIRTUAL_BASES_MAX];
    size_t count = (to - from) / 8;
    if (count > VIRTUAL_BASES_MAX || (to - from) % 8)
        return false;
    if (count && !file_memory_read(&tables->memory, from, words, count * sizeof *words))
        return false;
    for (size_t i = 0; i < count; i++)
        if (words[i] <= -SMALL || words[i] >= SMALL)
            return false;
    return true;
}

static const char *symbol_at(struct vtables *tables, uint64_t address, uint64_t *offset)
{
    struct heap_target *target = tables->memory.target;
    const struct proc_map *map = heap_target_region(target, address);
    uint64_t file = map ? map->inode : 0;
    if (!file || map_get(&tables->hopeless, file, 0))
        return NULL;
    int64_t began = clock_now();
    const char *symbol = heap_target_object(target, address, offset);
    if (!symbol && clock_now() - began > SLOW)
        map_put(&tables->hopeless, file, 1);
    return symbol;
}

static bool name_of_symbol(struct vtables *tables, uint64_t head, struct buf *name)
{
    uint64_t offset = 0;
    const char *symbol = symbol_at(tables, head, &offset);
    return symbol && strncmp(symbol, "_ZTV", 4) == 0 && is_mangled(symbol) && offset <= head &&
           are_distances(tables, head - offset, head) && put_type(symbol, "vtable for ", name);
}

bool vtables_class(struct vtables *tables, uint64_t word, struct buf *name)
{
    struct table_head head;
    uint64_t start = word - offsetof(struct table_head, function);
    if (word % 8 || word < sizeof head ||
        !file_memory_read(&tables->memory, start, &head, sizeof head) || head.offset_to_top)
        return false;
    const struct proc_map *code = heap_target_region(tables->memory.target, head.function);
    if (!code || !code->executable)
        return false;
    return head.description ? name_of_description(tables, head.description, name)
                            : name_of_symbol(tables, start, name);
}
