// SPDX-License-Identifier: MIT
#include "symbol/symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "symbol/demangle.h"
#include "symbol/symtab.h"
#include "symbol/syscall_name.h"

struct entry {
    struct symbol symbol;
    struct symbol_line line;
};

struct source { // of the names of one module
    struct symtab *symtab; // NULL until first asked
    struct map known;      // file offset -> index into entries, + 1
    uint32_t unknown;      // index + 1 of what all offsets without a name get; 0 until needed
};

struct symbolizer {
    struct modules *modules;
    struct source *sources; // [module id]
    size_t source_count;
    struct entry **entries; // each on its own, so that none ever moves
    size_t count, capacity;
    struct strtab names;
    struct map shown; // number of a symbol's name -> number of its demangled form
};

struct symbolizer *symbolizer_new(struct modules *modules)
{
    struct symbolizer *symbolizer = xcalloc(1, sizeof *symbolizer);
    symbolizer->modules = modules;
    strtab_init(&symbolizer->names);
    return symbolizer;
}

void symbolizer_free(struct symbolizer *symbolizer)
{
    if (!symbolizer)
        return;
    for (size_t i = 0; i < symbolizer->source_count; i++) {
        symtab_free(symbolizer->sources[i].symtab);
        map_fini(&symbolizer->sources[i].known);
    }
    for (size_t i = 0; i < symbolizer->count; i++)
        free(symbolizer->entries[i]);
    free(symbolizer->sources);
    free(symbolizer->entries);
    strtab_fini(&symbolizer->names);
    map_fini(&symbolizer->shown);
    free(symbolizer);
}

static struct source *source_of(struct symbolizer *symbolizer, const struct module *module)
{
    size_t count = modules_count(symbolizer->modules);
    if (symbolizer->source_count < count) {
        symbolizer->sources = xrealloc(symbolizer->sources, count * sizeof *symbolizer->sources);
        memset(symbolizer->sources + symbolizer->source_count, 0,
               (count - symbolizer->source_count) * sizeof *symbolizer->sources);
        symbolizer->source_count = count;
    }
    return &symbolizer->sources[module->id];
}

static uint32_t demangled(struct symbolizer *symbolizer, uint32_t name)
{
    uint32_t shown = map_get(&symbolizer->shown, name, 0);
    if (shown)
        return shown;
    AUTO_FREE char *text = demangle(strtab_get(&symbolizer->names, name));
    shown = text ? strtab_add(&symbolizer->names, text) : name;
    map_put(&symbolizer->shown, name, shown);
    return shown;
}

// Returns the index of the new entry, + 1: 0 stands for "no name" throughout.
static uint32_t add_entry(struct symbolizer *symbolizer, bool found, uint32_t name,
                          uint32_t system_name, uint64_t offset)
{
    struct entry *entry = xmalloc(sizeof *entry);
    entry->line = (struct symbol_line){
        .name = strtab_get(&symbolizer->names, name),
        .system_name = strtab_get(&symbolizer->names, system_name),
        .file = "",
    };
    entry->symbol = (struct symbol){
        .found = found,
        .offset = offset,
        .lines = &entry->line,
        .line_count = 1,
    };
    ARRAY_RESERVE(symbolizer->entries, symbolizer->count, symbolizer->capacity);
    symbolizer->entries[symbolizer->count++] = entry;
    return (uint32_t)symbolizer->count;
}

static uint32_t from_image(struct symbolizer *symbolizer, const struct module *module,
                           uint64_t offset)
{
    struct source *source = source_of(symbolizer, module);
    struct symtab_match match;
    uint64_t vaddr;
    if (!module->image || !image_vaddr(module->image, offset, &vaddr))
        return 0;
    if (!source->symtab)
        source->symtab = symtab_new(module->image);
    if (!symtab_find(source->symtab, vaddr, &match))
        return 0;
    AUTO_FREE char *raw =
        xasprintf("%.*s%s", SYMBOL_NAME_MAX, match.name, match.stub ? "@plt" : "");
    uint32_t name = strtab_add(&symbolizer->names, raw);
    return add_entry(symbolizer, true, demangled(symbolizer, name), name, match.offset);
}

// A call that is newer than our headers is known by its number.
static uint32_t from_kernel(struct symbolizer *symbolizer, const struct module *module,
                            uint64_t offset)
{
    (void)module;
    if (offset > INT32_MAX)
        return 0;
    const char *call = syscall_name((int)offset);
    AUTO_FREE char *text = call ? xasprintf("sys_%s", call) : xasprintf("sys_%d", (int)offset);
    uint32_t name = strtab_add(&symbolizer->names, text);
    return add_entry(symbolizer, true, name, name, 0);
}

static uint32_t from_path(struct symbolizer *symbolizer, const struct module *module,
                          uint64_t offset)
{
    (void)offset;
    uint32_t name = strtab_add(&symbolizer->names, module->path);
    return add_entry(symbolizer, true, name, name, 0);
}

static uint32_t from_jit(struct symbolizer *symbolizer, const struct module *module,
                         uint64_t address)
{
    uint64_t inside;
    const char *known =
        module->jit ? jit_find(module->jit, address, module->names_known, &inside) : NULL;
    if (!known)
        return 0;
    uint32_t name = strtab_add(&symbolizer->names, known);
    return add_entry(symbolizer, true, name, name, inside);
}

typedef uint32_t naming(struct symbolizer *symbolizer, const struct module *module,
                        uint64_t offset);

static naming *const namings[] = {
    [MODULE_FILE] = from_image,
    [MODULE_VDSO] = from_image,
    [MODULE_ANON] = from_jit,
    [MODULE_KERNEL] = from_kernel,
    [MODULE_SPECIAL] = from_path,
};

static uint32_t unknown(struct symbolizer *symbolizer, const struct module *module)
{
    struct source *source = source_of(symbolizer, module);
    if (!source->unknown) {
        size_t length = strlen(module->name);
        bool bracketed = module->name[0] == '[' && module->name[length - 1] == ']';
        AUTO_FREE char *text =
            bracketed ? xstrdup(module->name) : xasprintf("[%s]", module->name);
        uint32_t name = strtab_add(&symbolizer->names, text);
        source->unknown = add_entry(symbolizer, false, name, name, 0);
    }
    return source->unknown;
}

const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset)
{
    const struct module *module = modules_mapping(symbolizer->modules, mapping)->module;
    struct source *source = source_of(symbolizer, module);
    uint32_t entry = map_get(&source->known, offset, 0);
    if (!entry) {
        entry = namings[module->kind](symbolizer, module, offset);
        if (!entry)
            entry = unknown(symbolizer, module);
        map_put(&source->known, offset, entry);
    }
    return &symbolizer->entries[entry - 1]->symbol;
}
