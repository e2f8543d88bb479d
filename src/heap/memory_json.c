// SPDX-License-Identifier: MIT
// The keys are described in ptprof(1), MEMORY. What is not known is null, and "why" beside it says
// the reason.
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "heap/memory_print.h"

#define SCHEMA 1

static void put_count(struct json *json, const char *key, uint64_t count)
{
    if (count == MEMORY_UNKNOWN)
        json_null(json, key);
    else
        json_count(json, key, count);
}

static void put_reason(struct json *json, const char *key, const char *why)
{
    json_text(json, key, why ? why : "the kernel does not say it");
}

// --- the process ---

static const char pss_why[] = "smaps is read on request only (--pss), since the process may have "
                              "to wait meanwhile";

static void put_process(struct json *json, const struct memory_use *use,
                        const struct memory_style *style)
{
    const char *why = use->mappings_why ? use->mappings_why : style->pss ? NULL : pss_why;
    const char *huge_why = use->mappings_why ? use->mappings_why : use->resident_why;
    json_line(json);
    json_begin(json, "process", '{');
    for (enum memory_figure i = 0; i < MEMORY_FIGURE_COUNT; i++)
        put_count(json, memory_figure_rows[i].key, use->status.bytes[i]);
    uint64_t pss = why ? MEMORY_UNKNOWN : use->all.pss;
    uint64_t huge = use->mappings_why ? MEMORY_UNKNOWN : use->all.huge;
    put_count(json, "pss", pss);
    put_count(json, "huge_pages", huge);
    json_begin(json, "why", '{');
    for (enum memory_figure i = 0; i < MEMORY_FIGURE_COUNT; i++)
        if (use->status.bytes[i] == MEMORY_UNKNOWN)
            put_reason(json, memory_figure_rows[i].key, NULL);
    if (pss == MEMORY_UNKNOWN)
        put_reason(json, "pss", why);
    if (huge == MEMORY_UNKNOWN)
        put_reason(json, "huge_pages", huge_why ? huge_why : "not all mappings were looked at");
    json_end(json, '{');
    json_end(json, '{');
}

// --- mappings ---

static void put_sizes(struct json *json, const struct memory_sizes *sizes)
{
    put_count(json, "mappings", sizes->mappings);
    put_count(json, "size", sizes->size);
    put_count(json, "no_access", sizes->no_access);
    put_count(json, "resident", sizes->resident);
    put_count(json, "swapped", sizes->swapped);
    put_count(json, "huge_pages", sizes->huge);
    put_count(json, "pss", sizes->pss);
    put_count(json, "locked", sizes->locked);
}

static void put_kinds(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "kinds", '{');
    for (enum mapping_kind i = 0; i < MAPPING_KIND_COUNT; i++) {
        json_line(json);
        json_begin(json, mapping_kind_rows[i].key, '{');
        put_sizes(json, &use->kinds[i]);
        json_text(json, "resident_from", use->resident_why       ? "nothing"
                                         : use->left_over == i   ? "difference"
                                         : use->took.smaps       ? "smaps"
                                                                 : "pagemap");
        json_end(json, '{');
    }
    json_end(json, '{');
}

static void put_stacks(struct json *json, const struct memory_use *use)
{
    const struct memory_sizes *stacks = &use->kinds[MAPPING_THREAD_STACKS];
    json_line(json);
    json_begin(json, "stacks", '{');
    json_count(json, "found", use->stacks.found);
    json_count(json, "by_size", use->stacks.by_size);
    put_count(json, "resident", stacks->resident);
    put_count(json, "reserved", stacks->size);
    json_end(json, '{');
}

static void put_files(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "files", '[');
    for (size_t i = 0; i < use->file_count; i++) {
        json_line(json);
        json_begin(json, NULL, '{');
        json_text(json, "path", use->files[i].path);
        json_text(json, "kind", mapping_kind_rows[use->files[i].kind].key);
        put_sizes(json, &use->files[i].sizes);
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_mappings(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "mappings", '[');
    for (size_t i = 0; i < use->map_count; i++) {
        const struct proc_map *map = &use->maps[i];
        json_line(json);
        json_begin(json, NULL, '{');
        json_count(json, "start", map->start);
        json_count(json, "end", map->end);
        json_text(json, "permissions",
                  (char[]){map->readable ? 'r' : '-', map->writable ? 'w' : '-',
                           map->executable ? 'x' : '-', map->shared ? 's' : 'p', '\0'});
        json_count(json, "offset", map->offset);
        json_text(json, "path", map->path);
        json_text(json, "kind", mapping_kind_rows[use->uses[i].kind].key);
        put_sizes(json, &use->sizes[i]);
        json_end(json, '{');
    }
    json_end(json, '[');
}

// --- the cgroup ---

static void put_limit(struct json *json, const char *key, uint64_t limit)
{
    put_count(json, key, limit == MEMORY_NO_LIMIT ? MEMORY_UNKNOWN : limit);
}

static void put_pressure(struct json *json, const char *key, const struct memory_pressure *pressure)
{
    static const char *const keys[] = {"avg10", "avg60", "avg300"};
    json_begin(json, key, '{');
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        json_decimal(json, keys[i], pressure->percent[i], 2);
    json_count(json, "total_us", pressure->total_us);
    json_end(json, '{');
}

static void put_group_reasons(struct json *json, const struct memory_group *group)
{
    json_begin(json, "why", '{');
    for (size_t i = 0; i < MEMORY_GROUP_FIGURE_COUNT; i++) {
        const struct memory_group_row *row = &memory_group_rows[i];
        if (group->figures[i] == MEMORY_NO_LIMIT)
            json_text(json, row->key, "there is no limit");
        else if (group->figures[i] == MEMORY_UNKNOWN)
            json_text(json, row->key,
                      group->why                                        ? group->why
                      : group->version && row->at[group->version - 1].file
                          ? "the cgroup has no such file here"
                          : "cgroups of version 1 do not say it");
    }
    if (group->lowest_limit == MEMORY_NO_LIMIT)
        json_text(json, "lowest_limit", group->why ? group->why : "there is no limit");
    if (group->pressure_why)
        json_text(json, "pressure", group->pressure_why);
    json_end(json, '{');
}

static void put_group(struct json *json, const struct memory_group *group)
{
    json_line(json);
    json_begin(json, "cgroup", '{');
    json_text(json, "path", group->path);
    json_number(json, "version", group->version);
    for (size_t i = 0; i < MEMORY_GROUP_FIGURE_COUNT; i++)
        put_limit(json, memory_group_rows[i].key, group->figures[i]);
    put_limit(json, "lowest_limit", group->lowest_limit);
    json_text(json, "lowest_limit_of", group->limit_path);
    if (group->pressure_why) {
        json_null(json, "pressure");
    } else {
        json_begin(json, "pressure", '{');
        put_pressure(json, "some", &group->some);
        put_pressure(json, "full", &group->full);
        json_end(json, '{');
    }
    put_group_reasons(json, group);
    json_end(json, '{');
}

// --- allocators ---

static void put_allocator(struct json *json, const struct memory_allocator *allocator)
{
    const struct heap_figures *figures = &allocator->figures;
    double fragmentation = memory_fragmentation(figures);
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", allocator->name);
    json_text(json, "version", allocator->version);
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        put_count(json, heap_figure_rows[i].key,
                  figures->known[i] ? figures->value[i] : MEMORY_UNKNOWN);
    if (fragmentation >= 0)
        json_decimal(json, "fragmentation_percent", fragmentation, 2);
    else
        json_null(json, "fragmentation_percent");
    json_begin(json, "why", '{');
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (!figures->known[i])
            json_text(json, heap_figure_rows[i].key,
                      figures->why[i] ? figures->why[i] : "its books do not say it");
    if (fragmentation < 0)
        json_text(json, "fragmentation_percent", "it is made of system, free and trimmable");
    json_end(json, '{');
    json_end(json, '{');
}

static void put_allocators(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "allocators", '[');
    for (size_t i = 0; i < use->allocator_count; i++)
        put_allocator(json, &use->allocators[i]);
    json_end(json, '[');
    json_begin(json, "allocators_why", '[');
    for (const char *line = use->allocators_why; line && *line;) {
        size_t length = strcspn(line, "\n");
        AUTO_FREE char *one = xstrndup(line, length);
        json_text(json, NULL, one);
        line += length + (line[length] == '\n');
    }
    json_end(json, '[');
}

static void put_memstats(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "memstats", '{');
    const char *why;
    for (const struct memory_go_row *row = memory_go_rows; row->name; row++)
        put_count(json, row->name, row->count ? row->count(use, &why) : MEMORY_UNKNOWN);
    json_begin(json, "why", '{');
    for (const struct memory_go_row *row = memory_go_rows; row->name; row++) {
        why = row->why;
        if (!row->count || row->count(use, &why) == MEMORY_UNKNOWN)
            put_reason(json, row->name, why);
    }
    json_end(json, '{');
    json_end(json, '{');
}

// --- growth ---

static void put_difference(struct json *json, const char *key, uint64_t before, uint64_t now)
{
    if (before == MEMORY_UNKNOWN || now == MEMORY_UNKNOWN)
        json_null(json, key);
    else
        json_number(json, key, (int64_t)(now - before));
}

static void put_growth(struct json *json, const char *key, const struct memory_use *use,
                       const struct memory_use *before, int64_t since)
{
    if (!before) {
        json_null(json, key);
        return;
    }
    json_begin(json, key, '{');
    json_number(json, "time_ns", since);
    put_difference(json, "rss", before->status.bytes[MEMORY_RSS], use->status.bytes[MEMORY_RSS]);
    put_difference(json, "swap", before->status.bytes[MEMORY_SWAP],
                   use->status.bytes[MEMORY_SWAP]);
    json_begin(json, "resident", '{');
    for (size_t i = 0; i < MAPPING_KIND_COUNT; i++)
        put_difference(json, mapping_kind_rows[i].key,
                       before->mappings_why ? MEMORY_UNKNOWN : before->kinds[i].resident,
                       use->mappings_why ? MEMORY_UNKNOWN : use->kinds[i].resident);
    json_end(json, '{');
    json_end(json, '{');
}

static void put_took(struct json *json, const struct memory_use *use)
{
    json_line(json);
    json_begin(json, "took", '{');
    json_number(json, "mappings_cpu_ns", use->took.mappings);
    json_number(json, "smaps_ns", use->took.smaps);
    json_number(json, "allocators_ns", use->took.allocators);
    json_end(json, '{');
}

void memory_json_put(struct json *json, const char *key, const struct memory_use *use,
                     const struct memory_style *style)
{
    json_begin(json, key, '{');
    json_number(json, "schema", SCHEMA);
    json_line(json);
    json_number(json, "pid", use->pid);
    json_text(json, "comm", use->comm);
    json_number(json, "time_wall_ns", use->time);
    json_count(json, "look", style->looks);
    json_count(json, "threads", use->status.threads);
    json_text(json, "mappings_why", use->mappings_why);
    json_text(json, "resident_why", use->resident_why);
    put_process(json, use, style);
    if (!use->mappings_why) {
        put_kinds(json, use);
        put_stacks(json, use);
        put_files(json, use);
    } else {
        json_null(json, "kinds");
        json_null(json, "stacks");
        json_null(json, "files");
    }
    if (style->maps && use->sizes)
        put_mappings(json, use);
    put_group(json, &use->group);
    put_allocators(json, use);
    put_memstats(json, use);
    json_line(json);
    put_growth(json, "since_last", use, style->last, style->since_last);
    put_growth(json, "since_first", use, style->first, style->since_first);
    put_took(json, use);
    json_end(json, '{');
}

void memory_json(struct buf *out, const struct memory_use *use, const struct memory_style *style)
{
    struct json json = {.out = out};
    memory_json_put(&json, NULL, use, style);
    buf_putc(out, '\n');
}
