// SPDX-License-Identifier: MIT
#include "symbol/symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "symbol/binary.h"
#include "symbol/debuginfod.h"
#include "symbol/roots.h"
#include "symbol/syscall_name.h"
#include "symbol/worker.h"

#define TEXT_BYTES_MAX (1ull << 30) // that one symbol process may send
#define PENDING UINT32_MAX          // in source.known: wanted, not asked for yet

struct entry {
    struct symbol symbol;
    struct symbol_line lines[];
};

struct wanted {
    uint64_t vaddr, offset;
};

struct source { // of the names of one module
    struct map known;      // file offset -> index into entries, + 1
    uint32_t unknown;      // index + 1 of what all offsets without a name get; 0 until needed
    struct wanted *wanted;
    size_t wanted_count, wanted_capacity;
    unsigned failures;     // times that reading its files did not end well
    enum rc failure;       // of the last of them
    bool has_lines;
    char *tried;           // NULL: not asked about yet
    char *downloaded;      // debug file from a server, NULL: none
};

struct text { // as the symbol process numbers them: numbers in `names`
    uint32_t raw, shown;
};

struct symbolizer {
    struct modules *modules;
    struct source *sources; // [module id]
    size_t source_count;
    struct entry **entries; // each on its own, so that none ever moves
    size_t count, capacity;
    struct strtab names;
    struct text *texts; // [number - 1]
    size_t text_count, text_capacity;
    uint64_t text_bytes;
    struct roots roots;
    struct wire_sink sink;
    struct worker *worker;
    const struct module *asked; // what the answers that come in are about
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
    symbolizer->text_bytes = 0;
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
    for (size_t i = 0; i < symbolizer->source_count; i++) {
        map_fini(&symbolizer->sources[i].known);
        free(symbolizer->sources[i].wanted);
        free(symbolizer->sources[i].tried);
        free(symbolizer->sources[i].downloaded);
    }
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

static struct entry *entry_new(struct symbolizer *symbolizer, size_t line_count)
{
    struct entry *entry = xcalloc(1, sizeof *entry + line_count * sizeof *entry->lines);
    entry->symbol = (struct symbol){.lines = entry->lines, .line_count = line_count};
    ARRAY_RESERVE(symbolizer->entries, symbolizer->count, symbolizer->capacity);
    symbolizer->entries[symbolizer->count++] = entry;
    return entry;
}

// Returns the index of the new entry, + 1: 0 stands for "no name" throughout.
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
    struct source *source = source_of(symbolizer, module);
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
    struct text text = {0};
    symbolizer->text_bytes += raw_length + shown_length;
    if (symbolizer->text_bytes <= TEXT_BYTES_MAX) {
        text.raw = keep_text(symbolizer, raw, raw_length);
        text.shown = shown_length ? keep_text(symbolizer, shown, shown_length) : text.raw;
    }
    ARRAY_RESERVE(symbolizer->texts, symbolizer->text_count, symbolizer->text_capacity);
    symbolizer->texts[symbolizer->text_count++] = text;
}

static struct text text_of(const struct symbolizer *symbolizer, uint32_t number)
{
    return number ? symbolizer->texts[number - 1] : (struct text){0};
}

static struct symbol_line line_of(const struct symbolizer *symbolizer, const struct wire_line *line)
{
    struct text name = text_of(symbolizer, line->name);
    return (struct symbol_line){
        .name = strtab_get(&symbolizer->names, name.shown),
        .system_name = strtab_get(&symbolizer->names, name.raw),
        .file = strtab_get(&symbolizer->names, text_of(symbolizer, line->file).raw),
        .line = line->line,
        .column = line->column,
    };
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    struct symbolizer *symbolizer = context;
    struct source *source = source_of(symbolizer, symbolizer->asked);
    uint64_t offset = symbolizer->asked_wanted[symbol->index].offset;
    uint32_t last = symbol->line_count - 1, nothing = unknown(symbolizer, symbolizer->asked);
    if (!lines[last].name && !lines[last].file) {
        map_put(&source->known, offset, nothing);
        return;
    }
    struct entry *entry = entry_new(symbolizer, symbol->line_count);
    entry->symbol.offset = symbol->offset;
    for (uint32_t i = 0; i <= last; i++)
        entry->lines[i] = line_of(symbolizer, &lines[i]);
    entry->symbol.found = entry->lines[last].name[0];
    if (!entry->symbol.found)
        entry->lines[last].name = entry->lines[last].system_name =
            symbolizer->entries[nothing - 1]->lines[0].name;
    map_put(&source->known, offset, (uint32_t)symbolizer->count);
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    struct symbolizer *symbolizer = context;
    struct source *source = source_of(symbolizer, symbolizer->asked);
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

// Drops what has been answered; the rest is asked once more.
static void keep_pending(struct source *source)
{
    size_t kept = 0;
    for (size_t i = 0; i < source->wanted_count; i++)
        if (map_get(&source->known, source->wanted[i].offset, 0) == PENDING)
            source->wanted[kept++] = source->wanted[i];
    source->wanted_count = kept;
}

static enum rc ask_some(struct symbolizer *symbolizer, const struct module *module, size_t first,
                        size_t count)
{
    struct source *source = source_of(symbolizer, module);
    uint64_t vaddrs[WIRE_FIND_MAX];
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
    const struct source *source = source_of(symbolizer, module);
    enum rc rc = RC_OK;
    for (size_t first = 0; first < source->wanted_count && rc == RC_OK; first += WIRE_FIND_MAX) {
        size_t left = source->wanted_count - first;
        rc = ask_some(symbolizer, module, first, left < WIRE_FIND_MAX ? left : WIRE_FIND_MAX);
    }
    return rc;
}

// Neighbours are answered fastest one after the other.
static int compare_wanted(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    return (a->vaddr > b->vaddr) - (a->vaddr < b->vaddr);
}

// A module over which the process died or hung is read less deeply the next time.
static void fetch_module(struct symbolizer *symbolizer, const struct module *module)
{
    struct source *source = source_of(symbolizer, module);
    qsort(source->wanted, source->wanted_count, sizeof *source->wanted, compare_wanted);
    while (source->wanted_count && source->failures <= BINARY_ALL - BINARY_SYMBOLS) {
        enum rc rc = ask_all(symbolizer, module);
        keep_pending(source);
        if (rc == RC_OK)
            break;
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
            fetch_module(symbolizer, modules_get(symbolizer->modules, i));
}

static void want(struct source *source, uint64_t vaddr, uint64_t offset)
{
    ARRAY_RESERVE(source->wanted, source->wanted_count, source->wanted_capacity);
    source->wanted[source->wanted_count++] = (struct wanted){vaddr, offset};
    map_put(&source->known, offset, PENDING);
}

void symbolizer_want(struct symbolizer *symbolizer, uint32_t mapping, uint64_t offset)
{
    const struct module *module = modules_mapping(symbolizer->modules, mapping)->module;
    struct source *source = source_of(symbolizer, module);
    uint64_t vaddr;
    if (!module->image || map_get(&source->known, offset, 0) ||
        !image_vaddr(module->image, offset, &vaddr))
        return;
    want(source, vaddr, offset);
}

// --- debug files from servers

static bool is_worth_asking(const struct module *module, const struct source *source)
{
    return module->kind == MODULE_FILE && module->image && module->image->build_id_length &&
           source->tried && !source->has_lines && !source->failures && !source->downloaded;
}

static void note_failure(struct source *source, const char *why)
{
    AUTO_FREE char *before = source->tried;
    source->tried = xasprintf("%sdebuginfod: %s\n", before, why);
}

static void look_up_again(struct symbolizer *symbolizer, const struct module *module)
{
    struct source *source = source_of(symbolizer, module);
    struct map old = source->known;
    source->known = (struct map){0};
    worker_forget(symbolizer->worker, module->id);
    for (size_t i = 0; i < old.capacity; i++) {
        uint64_t vaddr;
        if (!old.slots[i].used || !image_vaddr(module->image, old.slots[i].key, &vaddr))
            continue;
        want(source, vaddr, old.slots[i].key);
    }
    map_fini(&old);
}

static void take_job(struct symbolizer *symbolizer, const struct module *module,
                     struct debuginfod_job *job)
{
    struct source *source = source_of(symbolizer, module);
    if (job->path) {
        source->downloaded = steal_ptr(&job->path);
        look_up_again(symbolizer, module);
    } else {
        note_failure(source, job->why);
    }
    free(job->build_id);
    free(job->path);
    free(job->why);
}

void symbolizer_download(struct symbolizer *symbolizer, int milliseconds)
{
    AUTO_FREE struct debuginfod_job *jobs = xcalloc(symbolizer->source_count, sizeof *jobs);
    AUTO_FREE const struct module **modules =
        xcalloc(symbolizer->source_count, sizeof(struct module *));
    size_t count = 0;
    for (uint32_t i = 0; i < symbolizer->source_count; i++) {
        const struct module *module = modules_get(symbolizer->modules, i);
        if (!is_worth_asking(module, &symbolizer->sources[i]))
            continue;
        char build_id[2 * BUILD_ID_MAX + 1];
        image_build_id_hex(module->image, build_id);
        modules[count] = module;
        jobs[count++].build_id = xstrdup(build_id);
    }
    if (count)
        debuginfod_fetch(jobs, count, milliseconds);
    for (size_t i = 0; i < count; i++)
        take_job(symbolizer, modules[i], &jobs[i]);
    symbolizer_fetch(symbolizer);
}

struct symbol_source symbolizer_source(struct symbolizer *symbolizer, const struct module *module)
{
    static const char *const problems[] = {
        [RC_FAIL] = "reading its symbols ended the process that did it",
        [RC_TIMEOUT] = "reading its symbols took too long",
        [RC_FORMAT] = "reading its symbols gave nonsense",
        [RC_IO] = "its file could not be handed over",
    };
    const struct source *source = source_of(symbolizer, module);
    return (struct symbol_source){
        .has_lines = source->has_lines,
        .tried = source->tried ? source->tried : "",
        .problem = source->failures ? problems[source->failure] : NULL,
    };
}

// --- what needs no file

static uint32_t from_image(struct symbolizer *symbolizer, const struct module *module,
                           uint64_t offset)
{
    symbolizer_fetch(symbolizer);
    return map_get(&source_of(symbolizer, module)->known, offset, 0);
}

// Above the numbers of system calls: that of the name, and the offset inside the function.
uint64_t symbolizer_kernel_place(struct symbolizer *symbolizer, const char *function,
                                 uint64_t inside)
{
    return (uint64_t)strtab_add(&symbolizer->names, function) << 32 | (uint32_t)inside;
}

static uint32_t from_kernel_place(struct symbolizer *symbolizer, uint64_t place)
{
    if (place >> 32 >= symbolizer->names.count)
        return 0;
    const char *name = strtab_get(&symbolizer->names, (uint32_t)(place >> 32));
    uint32_t entry = add_entry(symbolizer, true, name);
    symbolizer->entries[entry - 1]->symbol.offset = (uint32_t)place;
    return entry;
}

// A call that is newer than our headers is known by its number.
static uint32_t from_kernel(struct symbolizer *symbolizer, const struct module *module,
                            uint64_t offset)
{
    (void)module;
    if (offset > UINT32_MAX)
        return from_kernel_place(symbolizer, offset);
    if (offset > INT32_MAX)
        return 0;
    const char *call = syscall_name((int)offset);
    AUTO_FREE char *text = call ? xasprintf("sys_%s", call) : xasprintf("sys_%d", (int)offset);
    return add_entry(symbolizer, true, text);
}

static uint32_t from_path(struct symbolizer *symbolizer, const struct module *module,
                          uint64_t offset)
{
    (void)offset;
    return add_entry(symbolizer, true, module->path);
}

static uint32_t from_jit(struct symbolizer *symbolizer, const struct module *module,
                         uint64_t address)
{
    uint64_t inside;
    const char *known =
        module->jit ? jit_find(module->jit, address, module->names_known, &inside) : NULL;
    if (!known)
        return 0;
    uint32_t entry = add_entry(symbolizer, true, known);
    symbolizer->entries[entry - 1]->symbol.offset = inside;
    return entry;
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

const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset)
{
    const struct module *module = modules_mapping(symbolizer->modules, mapping)->module;
    struct source *source = source_of(symbolizer, module);
    symbolizer_want(symbolizer, mapping, offset);
    uint32_t entry = map_get(&source->known, offset, 0);
    if (!entry || entry == PENDING) {
        entry = namings[module->kind](symbolizer, module, offset);
        if (!entry)
            entry = unknown(symbolizer, module);
        map_put(&source->known, offset, entry);
    }
    return &symbolizer->entries[entry - 1]->symbol;
}
