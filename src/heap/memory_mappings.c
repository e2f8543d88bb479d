// SPDX-License-Identifier: MIT
#include "heap/memory_mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/maps.h"
#include "process/resident.h"
#include "process/smaps.h"

// With more mappings than that, those of the kind that most are of are not looked at: it would take
// as long as reading maps, and what the others leave of the whole is as true.
#define LOOK_MOST 2000

static void add(uint64_t *sum, uint64_t one)
{
    *sum = *sum == MEMORY_UNKNOWN || one == MEMORY_UNKNOWN ? MEMORY_UNKNOWN : *sum + one;
}

void memory_sizes_add(struct memory_sizes *sum, const struct memory_sizes *one)
{
    add(&sum->mappings, one->mappings);
    add(&sum->size, one->size);
    add(&sum->no_access, one->no_access);
    add(&sum->resident, one->resident);
    add(&sum->swapped, one->swapped);
    add(&sum->huge, one->huge);
    add(&sum->pss, one->pss);
    add(&sum->locked, one->locked);
}

// --- the list of mappings ---

static void append(struct memory_use *use, size_t *capacity, const struct memory_mapping *mapping)
{
    ARRAY_RESERVE(use->mappings, use->mapping_count, *capacity);
    use->mappings[use->mapping_count++] = *mapping;
}

static uint64_t no_access(const struct proc_map *map)
{
    return map->readable || map->writable || map->executable ? 0 : map->end - map->start;
}

static enum rc list_smaps(struct memory_use *use, pid_t tid)
{
    struct smaps_mapping found;
    size_t capacity = 0;
    int64_t began = clock_now();
    enum rc rc = procfs_read(&use->text, "/proc/%d/task/%d/smaps", (int)use->pid, (int)tid);
    use->smaps_took = clock_now() - began;
    for (char *at = use->text.data; rc == RC_OK && at && smaps_parse(&at, &found);)
        append(use, &capacity, &(struct memory_mapping){
            .map = found.map,
            .sizes = {.mappings = 1,
                      .size = found.map.end - found.map.start,
                      .no_access = no_access(&found.map),
                      .resident = found.bytes[SMAPS_RSS] + found.bytes[SMAPS_HUGETLB],
                      .swapped = found.bytes[SMAPS_SWAP],
                      .huge = found.bytes[SMAPS_HUGE] + found.bytes[SMAPS_HUGETLB],
                      .pss = found.bytes[SMAPS_PSS],
                      .locked = found.bytes[SMAPS_LOCKED]}});
    return rc == RC_OK && !use->mapping_count ? RC_GONE : rc;
}

static enum rc list_maps(struct memory_use *use, struct maps *maps)
{
    struct proc_map map;
    size_t capacity = 0;
    enum rc rc = maps_read(maps, &use->text);
    for (char *at = use->text.data; rc == RC_OK && at && proc_map_parse(&at, &map);)
        append(use, &capacity, &(struct memory_mapping){
            .map = map,
            .sizes = {.mappings = 1, .size = map.end - map.start, .no_access = no_access(&map),
                      .resident = MEMORY_UNKNOWN, .swapped = MEMORY_UNKNOWN,
                      .huge = MEMORY_UNKNOWN, .pss = MEMORY_UNKNOWN,
                      .locked = MEMORY_UNKNOWN}});
    return rc;
}

// --- what is resident of them ---

static struct proc_map *maps_of(const struct memory_use *use)
{
    struct proc_map *list = xmalloc((use->mapping_count + 1) * sizeof *list);
    for (size_t i = 0; i < use->mapping_count; i++)
        list[i] = use->mappings[i].map;
    return list;
}

static void find_kinds(struct memory_use *use, const struct proc_map *list,
                       const struct stack_points *points)
{
    struct mapping_use *uses = xcalloc(use->mapping_count + 1, sizeof *uses);
    use->stacks = mapping_kinds(list, use->mapping_count, points, uses);
    for (size_t i = 0; i < use->mapping_count; i++)
        use->mappings[i].use = uses[i];
    free(uses);
}

static enum mapping_kind choose_left_over(const struct memory_use *use)
{
    size_t counts[MAPPING_KIND_COUNT] = {0};
    enum mapping_kind most = 0;
    uint64_t hugetlb = use->status.bytes[MEMORY_HUGETLB]; // these pages are not in rss
    if (use->mapping_count <= LOOK_MOST || (hugetlb && hugetlb != MEMORY_UNKNOWN) ||
        use->status.bytes[MEMORY_RSS] == MEMORY_UNKNOWN ||
        use->status.bytes[MEMORY_SWAP] == MEMORY_UNKNOWN)
        return MAPPING_KIND_COUNT;
    for (size_t i = 0; i < use->mapping_count; i++)
        counts[use->mappings[i].use.kind]++;
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        most = counts[kind] > counts[most] ? kind : most;
    return most;
}

static enum rc look_at(struct memory_use *use, int pagemap, const struct proc_map *list,
                       size_t from, size_t to, struct resident *residents)
{
    enum rc rc = resident_read(pagemap, list + from, to - from, residents + from);
    for (size_t i = from; rc == RC_OK && i < to; i++) {
        use->mappings[i].sizes.resident = residents[i].bytes;
        use->mappings[i].sizes.swapped = residents[i].swapped;
        use->mappings[i].sizes.huge = residents[i].huge;
    }
    return rc;
}

// Looks at runs of mappings that are not of the kind that is left over.
static enum rc look_at_pages(struct memory_use *use, int pagemap, const struct proc_map *list)
{
    struct resident *residents = xcalloc(use->mapping_count + 1, sizeof *residents);
    enum rc rc = RC_OK;
    use->left_over = choose_left_over(use);
    for (size_t from = 0, to; rc == RC_OK && from < use->mapping_count; from = to) {
        for (to = from; to < use->mapping_count && use->mappings[to].use.kind != use->left_over;)
            to++;
        if (to > from)
            rc = look_at(use, pagemap, list, from, to, residents);
        while (to < use->mapping_count && use->mappings[to].use.kind == use->left_over)
            to++;
    }
    free(residents);
    if (rc == RC_LIMIT)
        use->resident_why = "so much is mapped that this kernel would take seconds to count pages "
                            "(before Linux 6.7); --pss does it";
    return rc == RC_LIMIT ? RC_OK : rc;
}

// --- sums ---

static uint64_t rest(uint64_t whole, uint64_t parts)
{
    return parts == MEMORY_UNKNOWN ? MEMORY_UNKNOWN : whole > parts ? whole - parts : 0;
}

static void give_left_over(struct memory_use *use)
{
    struct memory_sizes others = {0};
    if (use->left_over == MAPPING_KIND_COUNT)
        return;
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        if (kind != use->left_over && kind != MAPPING_KERNEL)
            memory_sizes_add(&others, &use->kinds[kind]);
    struct memory_sizes *left = &use->kinds[use->left_over];
    left->resident = rest(use->status.bytes[MEMORY_RSS], others.resident);
    left->swapped = rest(use->status.bytes[MEMORY_SWAP], others.swapped);
}

static int by_resident(const void *left, const void *right)
{
    const struct memory_file *a = left, *b = right;
    uint64_t x = a->sizes.resident, y = b->sizes.resident;
    if (x == y) {
        x = a->sizes.size;
        y = b->sizes.size;
    }
    return x > y ? -1 : x < y ? 1 : strcmp(a->path, b->path);
}

static bool has_file(enum mapping_kind kind)
{
    return kind == MAPPING_LIBRARIES || kind == MAPPING_FILE || kind == MAPPING_SHARED;
}

// Files are listed under the first of their mappings that has a path.
static void add_up_files(struct memory_use *use)
{
    size_t *places = xcalloc(use->mapping_count + 1, sizeof *places), capacity = 0; // 0: none
    for (size_t i = 0; i < use->mapping_count; i++) {
        const struct memory_mapping *mapping = &use->mappings[i];
        size_t *place = &places[mapping->use.file];
        if (!has_file(mapping->use.kind) || !*mapping->map.path)
            continue;
        if (!*place) {
            ARRAY_RESERVE(use->files, use->file_count, capacity);
            use->files[use->file_count++] =
                (struct memory_file){mapping->map.path, mapping->use.kind, {0}};
            *place = use->file_count;
        }
        memory_sizes_add(&use->files[*place - 1].sizes, &mapping->sizes);
    }
    free(places);
    if (use->file_count)
        qsort(use->files, use->file_count, sizeof *use->files, by_resident);
}

static void add_up(struct memory_use *use)
{
    for (size_t i = 0; i < use->mapping_count; i++)
        memory_sizes_add(&use->kinds[use->mappings[i].use.kind], &use->mappings[i].sizes);
    give_left_over(use);
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        memory_sizes_add(&use->all, &use->kinds[kind]);
    add_up_files(use);
}

// --- reading ---

static void forget(struct memory_use *use)
{
    use->mapping_count = use->file_count = 0;
    free(steal_ptr(&use->mappings));
    free(steal_ptr(&use->files));
    memset(use->kinds, 0, sizeof use->kinds);
    use->all = (struct memory_sizes){0};
}

static int open_pagemap(pid_t pid, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/pagemap", (int)pid, (int)tid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

enum rc memory_mappings_read(struct memory_use *use, pid_t tid, bool smaps,
                             struct stack_points *points)
{
    struct maps maps;
    int64_t began = clock_now();
    forget(use);
    use->left_over = MAPPING_KIND_COUNT;
    enum rc rc = maps_open(&maps, use->pid, tid);
    if (rc == RC_OK)
        rc = smaps ? list_smaps(use, tid) : list_maps(use, &maps);
    if (rc == RC_OK)
        rc = stack_points_read(points, use->pid);
    if (rc == RC_OK) {
        AUTO_FREE struct proc_map *list = maps_of(use);
        AUTO_FD int pagemap = smaps ? -1 : open_pagemap(use->pid, tid);
        find_kinds(use, list, points);
        if (!smaps)
            rc = look_at_pages(use, pagemap, list);
        if (rc == RC_OK && !maps_file_is_current(maps.fd))
            rc = RC_GONE;
    }
    maps_close(&maps);
    if (rc == RC_OK)
        add_up(use);
    use->mappings_took = clock_now() - began;
    return rc;
}
