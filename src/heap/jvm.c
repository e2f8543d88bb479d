// SPDX-License-Identifier: MIT
// The Java heap of HotSpot. Its objects move, so none are visited; where it lies and how much of it
// is committed is told. The JVM describes its own structures for debuggers, in a table that its
// library exports.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"
#include "heap/word.h"

#define ENTRIES_MAX 8192u // of the table
#define ENTRY 48u         // bytes of an entry
#define NAME_MAX 64u

// In an entry.
#define TYPE_NAME 0u
#define FIELD_NAME 8u
#define OFFSET 32u  // of a field of each object
#define ADDRESS 40u // of a static field

enum field { HEAP, RESERVED, START, WORDS, MAJOR, FIELDS };

static const struct {
    const char *type, *field;
    size_t at; // whether the entry's offset or address is meant
} fields[FIELDS] = {
    [HEAP] = {"Universe", "_collectedHeap", ADDRESS},
    [RESERVED] = {"CollectedHeap", "_reserved", OFFSET},
    [START] = {"MemRegion", "_start", OFFSET},
    [WORDS] = {"MemRegion", "_word_size", OFFSET},
    [MAJOR] = {"Abstract_VM_Version", "_vm_major_version", ADDRESS},
};

struct jvm_books {
    struct heap_target *target;
    uint64_t start, end; // what is reserved
    char version[16];
};

struct found_fields {
    uint64_t value[FIELDS];
    bool known[FIELDS];
};

static void note_entry(struct heap_target *target, const unsigned char *entry,
                       struct found_fields *found)
{
    char type[NAME_MAX], name[NAME_MAX];
    if (!heap_view_text(&target->view, word_at(entry, TYPE_NAME), type, sizeof type))
        return;
    for (size_t i = 0; i < FIELDS; i++)
        if (!found->known[i] && strcmp(fields[i].type, type) == 0 &&
            heap_view_text(&target->view, word_at(entry, FIELD_NAME), name, sizeof name) &&
            strcmp(fields[i].field, name) == 0) {
            found->known[i] = true;
            found->value[i] = word_at(entry, fields[i].at);
        }
}

static bool find_fields(struct heap_target *target, struct found_fields *found)
{
    uint64_t address, size, table;
    unsigned char entry[ENTRY];
    if (!heap_target_variable(target, "libjvm.so", "gHotSpotVMStructs", &address, &size) ||
        !heap_view_read(&target->view, address, &table, sizeof table))
        return false;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        if (!heap_view_read(&target->view, table + i * ENTRY, entry, sizeof entry) ||
            !word_at(entry, TYPE_NAME))
            break;
        note_entry(target, entry, found);
    }
    return found->known[HEAP] && found->known[RESERVED] && found->known[START] &&
           found->known[WORDS];
}

static bool read_heap(struct jvm_books *books, const struct found_fields *found)
{
    struct heap_view *view = &books->target->view;
    uint64_t heap, words;
    uint32_t major;
    if (!heap_view_read(view, found->value[HEAP], &heap, sizeof heap) || !heap)
        return false;
    heap += found->value[RESERVED];
    if (!heap_view_read(view, heap + found->value[START], &books->start, sizeof books->start) ||
        !heap_view_read(view, heap + found->value[WORDS], &words, sizeof words) || !words ||
        words > 1ull << 44 || !books->start || books->start % 4096 ||
        books->start > UINT64_MAX - words * 8)
        return false;
    books->end = books->start + words * 8;
    if (found->known[MAJOR] && heap_view_read(view, found->value[MAJOR], &major, sizeof major))
        snprintf(books->version, sizeof books->version, "%u", (unsigned)major);
    return true;
}

static bool has_jvm(const struct heap_target *target)
{
    for (size_t i = 0; i < target->regions.count; i++) {
        const char *name = strrchr(target->regions.list[i].path, '/');
        if (name && strcmp(name, "/libjvm.so") == 0)
            return true;
    }
    return false;
}

static void *find(struct heap_target *target, struct buf *why)
{
    struct found_fields found = {0};
    struct jvm_books books = {.target = target};
    if (!has_jvm(target))
        return NULL;
    if (!find_fields(target, &found))
        buf_puts(why, "JVM: gHotSpotVMStructs of libjvm.so does not say where the heap lies\n");
    else if (!read_heap(&books, &found))
        buf_puts(why, "JVM: Universe::_collectedHeap has no reserved region yet\n");
    else
        return xcopy(&books, 1, sizeof books);
    return NULL;
}

static void version(const void *books, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct jvm_books *)books)->version);
}

// Returns the bytes of the reserved region that can be written to.
static uint64_t committed(const struct jvm_books *books)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < books->target->regions.count; i++) {
        const struct proc_map *map = &books->target->regions.list[i];
        uint64_t start = map->start > books->start ? map->start : books->start;
        uint64_t end = map->end < books->end ? map->end : books->end;
        if (map->writable && start < end)
            sum += end - start;
    }
    return sum;
}

static void count(void *state, struct heap_figures *figures)
{
    static const char moves[] = "objects of the Java heap move, and are not visited";
    heap_figures_set(figures, FIGURE_ARENAS, 1);
    heap_figures_set(figures, FIGURE_SYSTEM, committed(state));
    heap_figures_unknown(figures, FIGURE_IN_USE, moves);
    heap_figures_unknown(figures, FIGURE_IN_USE_BLOCKS, moves);
    heap_figures_unknown(figures, FIGURE_FREE, moves);
}

const struct allocator allocator_jvm = {
    .name = "JVM",
    .find = find,
    .version = version,
    .count = count,
    .free = free,
};
