// SPDX-License-Identifier: MIT
#include "symbol/symbolizer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "symbol/download.h"
#include "symbol/naming.h"
#include "symbol/reader/binary.h"
#include "symbol/roots.h"
#include "symbol/source.h"
#include "symbol/worker.h"

#define TEXT_BYTES_MAX (256ull << 20) // all texts of all symbol processes together
#define LINES_MAX 4000000u            // lines of all symbols; then only physical functions are kept

struct entry {
    struct symbol symbol;
    struct symbol_line lines[];
};

struct numbered_text { // a text of the symbol process, as numbers in `names`
    uint32_t raw, shown;
};

struct symbolizer {
    struct modules *modules;
    struct source *sources; // [module id]
    size_t source_count;
    struct entry **entries; // each allocated by itself, so that none ever moves
    size_t count, capacity;
    struct strtab names;
    struct numbered_text *texts; // [number - 1]
    size_t text_count, text_capacity;
    uint64_t text_bytes, line_count; // of all that was received
    _Atomic int64_t deadline; // CLOCK_MONOTONIC ns, 0: none
    uint64_t late;            // places without a name because of the deadline
    struct roots roots;
    struct wire_sink sink;
    struct worker *worker;
    const struct module *asked; // the module that the answers now coming in are about
    const struct wanted *asked_wanted;
};

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length);
static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines);
static void take_tried(void *context, bool has_lines, const char *text, size_t length);

static void forget_texts(void *context)
{
    struct symbolizer *symbolizer = context;
    symbolizer->text_count = 0;
}

struct symbolizer *symbolizer_new(struct modules *modules)
{
    struct symbolizer *symbolizer = xcalloc(1, sizeof *symbolizer);
    symbolizer->modules = modules;
    symbolizer->sink = (struct wire_sink){symbolizer, take_text, take_symbol, take_tried};
    symbolizer->worker = worker_new(&symbolizer->sink, forget_texts, &symbolizer->roots);
    strtab_init(&symbolizer->names);
    return symbolizer;
}

void symbolizer_free(struct symbolizer *symbolizer)
{
    if (!symbolizer)
        return;
    worker_free(symbolizer->worker);
    roots_fini(&symbolizer->roots);
    for (size_t i = 0; i < symbolizer->source_count; i++)
        source_fini(&symbolizer->sources[i]);
    for (size_t i = 0; i < symbolizer->count; i++)
        free(symbolizer->entries[i]);
    free(symbolizer->sources);
    free(symbolizer->entries);
    free(symbolizer->texts);
    strtab_fini(&symbolizer->names);
    free(symbolizer);
}

void symbolizer_isolate(struct symbolizer *symbolizer)
{
    worker_isolate(symbolizer->worker);
}

void symbolizer_add_root(struct symbolizer *symbolizer, pid_t pid)
{
    roots_add(&symbolizer->roots, pid);
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

// Returns the source of a module of which something is wanted. It does not look at the table of
// modules, which another thread may be extending.
static struct source *source_wanted(struct symbolizer *symbolizer, const struct module *module)
{
    return &symbolizer->sources[module->id];
}

static struct entry *entry_new(struct symbolizer *symbolizer, size_t line_count)
{
    struct entry *entry = xcalloc(1, sizeof *entry + line_count * sizeof *entry->lines);
    entry->symbol = (struct symbol){.lines = entry->lines, .line_count = line_count};
    ARRAY_RESERVE(symbolizer->entries, symbolizer->count, symbolizer->capacity);
    symbolizer->entries[symbolizer->count++] = entry;
    return entry;
}

// Returns the index of the new entry + 1; 0 stands for "no name" throughout.
static uint32_t add_entry(struct symbolizer *symbolizer, bool found, const char *name)
{
    struct entry *entry = entry_new(symbolizer, 1);
    const char *kept = strtab_get(&symbolizer->names, strtab_add(&symbolizer->names, name));
    entry->symbol.found = found;
    entry->lines[0] = (struct symbol_line){.name = kept, .system_name = kept, .file = ""};
    return (uint32_t)symbolizer->count;
}

static uint32_t unknown(struct symbolizer *symbolizer, const struct module *module)
{
    struct source *source = source_wanted(symbolizer, module);
    if (!source->unknown) {
        size_t length = strlen(module->name);
        bool bracketed = module->name[0] == '[' && module->name[length - 1] == ']';
        AUTO_FREE char *text =
            bracketed ? xstrdup(module->name) : xasprintf("[%s]", module->name);
        source->unknown = add_entry(symbolizer, false, text);
    }
    return source->unknown;
}

// --- answers

static uint32_t keep_text(struct symbolizer *symbolizer, const char *bytes, size_t length)
{
    AUTO_FREE char *text = xstrndup(bytes, length);
    return strtab_add(&symbolizer->names, text);
}

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length)
{
    struct symbolizer *symbolizer = context;
    struct numbered_text text = {0};
    symbolizer->text_bytes += raw_length + shown_length;
    if (symbolizer->text_bytes <= TEXT_BYTES_MAX) {
        text.raw = keep_text(symbolizer, raw, raw_length);
        text.shown = shown_length ? keep_text(symbolizer, shown, shown_length) : text.raw;
    }
    ARRAY_RESERVE(symbolizer->texts, symbolizer->text_count, symbolizer->text_capacity);
    symbolizer->texts[symbolizer->text_count++] = text;
}

static struct numbered_text text_of(const struct symbolizer *symbolizer, uint32_t number)
{
    return number ? symbolizer->texts[number - 1] : (struct numbered_text){0};
}

static struct symbol_line line_of(const struct symbolizer *symbolizer, const struct wire_line *line)
{
    struct numbered_text name = text_of(symbolizer, line->name);
    return (struct symbol_line){
        .name = strtab_get(&symbolizer->names, name.shown),
        .system_name = strtab_get(&symbolizer->names, name.raw),
        .file = strtab_get(&symbolizer->names, text_of(symbolizer, line->file).raw),
        .line = line->line,
        .column = line->column,
    };
}

// Names a function without a name by its start at link time, which is the same in every run.
static const char *place_name(struct symbolizer *symbolizer, const struct module *module,
                              uint64_t start)
{
    AUTO_FREE char *text = xasprintf("%s+0x%" PRIx64, module->name, start);
    return strtab_get(&symbolizer->names, strtab_add(&symbolizer->names, text));
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    struct symbolizer *symbolizer = context;
    struct source *source = source_wanted(symbolizer, symbolizer->asked);
    uint64_t offset = symbolizer->asked_wanted[symbol->index].offset;
    uint32_t last = symbol->line_count - 1;
    uint32_t nothing = unknown(symbolizer, symbolizer->asked);
    if (!lines[last].name && !lines[last].file && !symbol->start) {
        map_put(&source->known, offset, nothing);
        return;
    }
    uint32_t first = (symbolizer->line_count += symbol->line_count) > LINES_MAX ? last : 0;
    struct entry *entry = entry_new(symbolizer, last - first + 1);
    entry->symbol.offset = symbol->offset;
    for (uint32_t i = first; i <= last; i++)
        entry->lines[i - first] = line_of(symbolizer, &lines[i]);
    struct symbol_line *physical = &entry->lines[last - first];
    entry->symbol.found = physical->name[0];
    entry->symbol.placed = !entry->symbol.found && symbol->start;
    if (!entry->symbol.found)
        physical->name = physical->system_name =
            entry->symbol.placed ? place_name(symbolizer, symbolizer->asked, symbol->start)
                                 : symbolizer->entries[nothing - 1]->lines[0].name;
    map_put(&source->known, offset, (uint32_t)symbolizer->count);
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    struct symbolizer *symbolizer = context;
    struct source *source = source_wanted(symbolizer, symbolizer->asked);
    source->has_lines = has_lines;
    free(source->tried);
    source->tried = xstrndup(text, length);
}

// --- questions

static int open_image(void *context)
{
    const struct module *module = context;
    return image_reopen(module->image);
}

static enum rc ask_some(struct symbolizer *symbolizer, const struct module *module, size_t first,
                        size_t count)
{
    struct source *source = source_wanted(symbolizer, module);
    AUTO_FREE uint64_t *vaddrs = xcalloc(count, sizeof *vaddrs);
    for (size_t i = 0; i < count; i++)
        vaddrs[i] = source->wanted[first + i].vaddr;
    symbolizer->asked = module;
    symbolizer->asked_wanted = source->wanted + first;
    return worker_ask(symbolizer->worker, &(struct worker_question){
                                              .module = module->id,
                                              .path = module->path,
                                              .extra = source->downloaded,
                                              .depth = BINARY_ALL - source->failures,
                                              .open = open_image,
                                              .context = (void *)module,
                                              .vaddrs = vaddrs,
                                              .count = count,
                                          });
}

static enum rc ask_all(struct symbolizer *symbolizer, const struct module *module)
{
    const struct source *source = source_wanted(symbolizer, module);
    enum rc rc = RC_OK;
    for (size_t first = 0; first < source->wanted_count && rc == RC_OK; first += WIRE_FIND_MAX) {
        size_t left = source->wanted_count - first;
        rc = ask_some(symbolizer, module, first, left < WIRE_FIND_MAX ? left : WIRE_FIND_MAX);
    }
    return rc;
}

static bool is_late(const struct symbolizer *symbolizer)
{
    int64_t deadline = atomic_load(&symbolizer->deadline);
    return deadline && clock_now() >= deadline;
}

// When the symbol process died or hung over a module, the module is read less deeply the next time.
static void fetch_module(struct symbolizer *symbolizer, const struct module *module)
{
    struct source *source = source_wanted(symbolizer, module);
    source_sort(source);
    while (source->wanted_count && source->failures <= BINARY_ALL - BINARY_SYMBOLS) {
        enum rc rc = ask_all(symbolizer, module);
        source_keep_pending(source);
        if (rc == RC_OK)
            break;
        if (is_late(symbolizer)) {
            symbolizer->late += source->wanted_count;
            break;
        }
        source->failures++;
        source->failure = rc;
    }
    for (size_t i = 0; i < source->wanted_count; i++)
        map_put(&source->known, source->wanted[i].offset, unknown(symbolizer, module));
    source->wanted_count = 0;
}

void symbolizer_fetch(struct symbolizer *symbolizer)
{
    for (uint32_t i = 0; i < symbolizer->source_count; i++)
        if (symbolizer->sources[i].wanted_count)
            fetch_module(symbolizer, symbolizer->sources[i].module);
}

void symbolizer_cancel(struct symbolizer *symbolizer)
{
    worker_cancel(symbolizer->worker);
}

void symbolizer_hurry(struct symbolizer *symbolizer)
{
    worker_hurry(symbolizer->worker);
}

void symbolizer_set_deadline(struct symbolizer *symbolizer, int64_t moment)
{
    symbolizer->deadline = moment;
    worker_set_deadline(symbolizer->worker, moment);
}

uint64_t symbolizer_late(const struct symbolizer *symbolizer)
{
    return symbolizer->late;
}

void symbolizer_want(struct symbolizer *symbolizer, uint32_t mapping, uint64_t offset)
{
    const struct module *module = modules_mapping(symbolizer->modules, mapping)->module;
    struct source *source = source_of(symbolizer, module);
    uint64_t vaddr;
    if (!module->image || map_get(&source->known, offset, 0) ||
        !image_vaddr(module->image, offset, &vaddr))
        return;
    source_want(source, module, vaddr, offset);
}

void symbolizer_download(struct symbolizer *symbolizer, int milliseconds)
{
    download_debug_files(symbolizer->sources, symbolizer->source_count, milliseconds);
    for (uint32_t i = 0; i < symbolizer->source_count; i++)
        if (symbolizer->sources[i].downloaded && symbolizer->sources[i].wanted_count)
            worker_forget(symbolizer->worker, i);
    symbolizer_fetch(symbolizer);
}

struct symbol_source symbolizer_source(struct symbolizer *symbolizer, const struct module *module)
{
    const struct source *source = source_of(symbolizer, module);
    return (struct symbol_source){
        .has_lines = source->has_lines,
        .tried = source->tried ? source->tried : "",
        .problem = source_problem(source),
    };
}

// --- lookups

static bool has_file(const struct module *module)
{
    return module->kind == MODULE_FILE || module->kind == MODULE_VDSO;
}

// Such offsets are above all system call numbers: the upper half is the number of the name, the
// lower half the offset inside the function.
uint64_t symbolizer_kernel_place(struct symbolizer *symbolizer, const char *function,
                                 uint64_t inside)
{
    return (uint64_t)strtab_add(&symbolizer->names, function) << 32 | (uint32_t)inside;
}

static bool is_kernel_place(const struct symbolizer *symbolizer, const struct module *module,
                            uint64_t offset)
{
    return module->kind == MODULE_KERNEL && offset > UINT32_MAX &&
           offset >> 32 < symbolizer->names.count;
}

static uint32_t add_at(struct symbolizer *symbolizer, const char *name, uint64_t inside)
{
    uint32_t entry = add_entry(symbolizer, true, name);
    symbolizer->entries[entry - 1]->symbol.offset = inside;
    return entry;
}

static uint32_t find(struct symbolizer *symbolizer, const struct module *module, uint64_t offset)
{
    if (has_file(module)) {
        symbolizer_fetch(symbolizer);
        return map_get(&source_of(symbolizer, module)->known, offset, 0);
    }
    if (is_kernel_place(symbolizer, module, offset))
        return add_at(symbolizer, strtab_get(&symbolizer->names, (uint32_t)(offset >> 32)),
                      (uint32_t)offset);
    uint64_t inside;
    AUTO_FREE char *name = naming_of(module, offset, &inside);
    return name ? add_at(symbolizer, name, inside) : 0;
}

const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset)
{
    const struct module *module = modules_mapping(symbolizer->modules, mapping)->module;
    struct source *source = source_of(symbolizer, module);
    symbolizer_want(symbolizer, mapping, offset);
    uint32_t entry = map_get(&source->known, offset, 0);
    if (!entry || entry == SOURCE_PENDING) {
        entry = find(symbolizer, module, offset);
        if (!entry)
            entry = unknown(symbolizer, module);
        map_put(&source->known, offset, entry);
    }
    return &symbolizer->entries[entry - 1]->symbol;
}
