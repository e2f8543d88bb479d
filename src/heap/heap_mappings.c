// SPDX-License-Identifier: MIT
#include "heap/heap_mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"

#define ADDRESS 24 // bytes of a text

struct sized_mapping { // borrowed
    const struct proc_map *map;
    uint64_t size;
};

struct sized_mappings {
    struct sized_mapping *list; // the largest first
    size_t count;
};

static const char *kind_of(const struct proc_map *map)
{
    if (strcmp(map->path, "[heap]") == 0)
        return "heap";
    if (strcmp(map->path, "[stack]") == 0)
        return "stack";
    if (map->shared)
        return "shared";
    if (map->executable)
        return "code";
    return map->path[0] == '/' ? "file" : "anonymous";
}

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
    struct sized_mappings all = {xcalloc(regions->count + 1, sizeof *all.list), 0};
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (map->writable)
            all.list[all.count++] = (struct sized_mapping){map, map->end - map->start};
    }
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, compare);
    return all;
}

static void put_row(struct buf *out, const struct sized_mapping *mapping)
{
    char size[FIGURES_MOST];
    buf_printf(out, "%7s  %-9s  %012" PRIx64 "-%012" PRIx64 "  ",
               figures_bytes(mapping->size, 'B', size), kind_of(mapping->map),
               mapping->map->start, mapping->map->end);
    escape_text(out, mapping->map->path);
    buf_putc(out, '\n');
}

void heap_mappings_text(struct buf *out, struct heap_target *target, size_t top)
{
    struct sized_mappings all = mappings_of(target);
    char size[FIGURES_MOST];
    uint64_t rest = 0, total = 0;
    buf_printf(out, "\nmappings that can be written, in memory or not:\n%7s  %-9s  %-25s  %s\n",
               "BYTES", "KIND", "ADDRESS", "FILE");
    for (size_t i = 0; i < all.count; i++) {
        total += all.list[i].size;
        if (i < top)
            put_row(out, &all.list[i]);
        else
            rest += all.list[i].size;
    }
    if (all.count > top)
        buf_printf(out, "%7s  %zu more\n", figures_bytes(rest, 'B', size), all.count - top);
    buf_printf(out, "%7s  total\n", figures_bytes(total, 'B', size));
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
        json_text(json, "kind", kind_of(all.list[i].map));
        json_text(json, "file", all.list[i].map->path);
        json_end(json, '{');
    }
    json_end(json, '[');
    free(all.list);
}
