// SPDX-License-Identifier: MIT
#include "heap/heap_mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "process/mapping_kind.h"
#include "process/resident.h"

#define ADDRESS 24 // bytes of a text

struct sized_mapping {
    const struct proc_map *map; // borrowed
    const char *key, *words;    // what it is for
    uint64_t size, resident;    // bytes
};

struct sized_mappings {
    struct sized_mapping *list; // that can be written, the largest first; owned
    size_t count;
    bool resident; // what is resident is known
};

static int compare(const void *left, const void *right)
{
    const struct sized_mapping *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->map->start < b->map->start ? -1 : a->map->start > b->map->start;
}

static struct sized_mappings mappings_of(const struct heap_target *target)
{
    const struct regions *regions = &target->regions;
    AUTO_FREE struct mapping_use *uses = xcalloc(regions->count + 1, sizeof *uses);
    AUTO_FREE struct resident *residents = xcalloc(regions->count + 1, sizeof *residents);
    struct sized_mappings all = {xcalloc(regions->count + 1, sizeof *all.list), 0, false};
    struct stack_points points = {0};
    if (stack_points_read(&points, target->pid) == RC_OK)
        mapping_kinds(regions->list, regions->count, &points, uses);
    stack_points_fini(&points);
    all.resident =
        resident_read(target->view.pagemap, regions->list, regions->count, residents) == RC_OK;
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        const struct mapping_kind_row *kind = &mapping_kind_rows[uses[i].kind];
        if (map->writable)
            all.list[all.count++] = (struct sized_mapping){
                map, kind->key, kind->words, map->end - map->start, residents[i].bytes};
    }
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, compare);
    return all;
}

static void put_sizes(struct buf *out, const struct sized_mappings *all, uint64_t size,
                      uint64_t resident)
{
    char text[FIGURES_MOST];
    buf_printf(out, "%7s", figures_bytes(size, 'B', text));
    buf_printf(out, " %9s", all->resident ? figures_bytes(resident, 'B', text) : "");
}

static void put_row(struct buf *out, const struct sized_mappings *all,
                    const struct sized_mapping *mapping)
{
    put_sizes(out, all, mapping->size, mapping->resident);
    buf_printf(out, "  %-18s  %012" PRIx64 "-%012" PRIx64, mapping->words, mapping->map->start,
               mapping->map->end);
    buf_puts(out, *mapping->map->path ? "  " : "");
    escape_text(out, mapping->map->path);
    buf_putc(out, '\n');
}

static void put_rest(struct buf *out, const struct sized_mappings *all, size_t from,
                     const char *what)
{
    uint64_t size = 0, resident = 0;
    for (size_t i = from; i < all->count; i++) {
        size += all->list[i].size;
        resident += all->list[i].resident;
    }
    put_sizes(out, all, size, resident);
    buf_printf(out, "  %s\n", what);
}

void heap_mappings_text(struct buf *out, struct heap_target *target, size_t top)
{
    struct sized_mappings all = mappings_of(target);
    buf_printf(out, "\nmappings that can be written:\n%7s %9s  %-18s  %-25s  %s\n", "BYTES",
               "RESIDENT", "KIND", "ADDRESS", "FILE");
    for (size_t i = 0; i < all.count && i < top; i++)
        put_row(out, &all, &all.list[i]);
    if (all.count > top) {
        AUTO_FREE char *more = xasprintf("%zu more", all.count - top);
        put_rest(out, &all, top, more);
    }
    put_rest(out, &all, 0, "total");
    free(all.list);
}

static void put_address(struct json *json, const char *key, uint64_t address)
{
    char text[ADDRESS];
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    json_text(json, key, text);
}

void heap_mappings_json(struct json *json, struct heap_target *target)
{
    struct sized_mappings all = mappings_of(target);
    json_begin(json, "mappings", '[');
    for (size_t i = 0; i < all.count; i++) {
        json_line(json);
        json_begin(json, NULL, '{');
        put_address(json, "start", all.list[i].map->start);
        put_address(json, "end", all.list[i].map->end);
        json_text(json, "kind", all.list[i].key);
        if (all.resident)
            json_count(json, "resident", all.list[i].resident);
        else
            json_null(json, "resident");
        json_text(json, "file", all.list[i].map->path);
        json_end(json, '{');
    }
    json_end(json, '[');
    free(all.list);
}
