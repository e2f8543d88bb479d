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
#define TEXT_MOST (256u << 20) // bytes; the limit of procfs_read too

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

static uint64_t no_access(const struct proc_map *map)
{
    return map->readable || map->writable || map->executable ? 0 : map->end - map->start;
}

static void append(struct memory_use *use, size_t *capacity, const struct proc_map *map)
{
    ARRAY_RESERVE(use->maps, use->map_count, *capacity);
    use->maps[use->map_count++] = *map;
}

static struct memory_sizes sizes_of(const struct smaps_mapping *found)
{
    return (struct memory_sizes){
        .mappings = 1,
        .size = found->map.end - found->map.start,
        .no_access = no_access(&found->map),
        .resident = found->bytes[SMAPS_RSS] + found->bytes[SMAPS_HUGETLB],
        .swapped = found->bytes[SMAPS_SWAP],
        .huge = found->bytes[SMAPS_HUGE] + found->bytes[SMAPS_HUGETLB],
        .pss = found->bytes[SMAPS_PSS],
        .locked = found->bytes[SMAPS_LOCKED],
    };
}

static enum rc list_smaps(struct memory_use *use, pid_t tid)
{
    struct smaps_mapping found;
    size_t capacity = 0, sizes = 0;
    int64_t began = clock_now();
    enum rc rc = procfs_read(&use->text, "/proc/%d/task/%d/smaps", (int)use->pid, (int)tid);
    use->took.smaps = clock_now() - began;
    for (char *at = use->text.data; rc == RC_OK && at && smaps_parse(&at, &found);) {
        ARRAY_RESERVE(use->sizes, use->map_count, sizes);
        use->sizes[use->map_count] = sizes_of(&found);
        append(use, &capacity, &found.map);
    }
    return rc == RC_OK && !use->map_count ? RC_GONE : rc;
}

static enum rc list_maps(struct memory_use *use, struct maps *maps)
{
    struct proc_map map;
    size_t capacity = 0;
    enum rc rc = buf_read_fd(&use->text, maps->fd, TEXT_MOST);
    if (rc == RC_OK && !use->text.length)
        return RC_GONE;
    for (char *at = use->text.data; rc == RC_OK && at && proc_map_parse(&at, &map);)
        append(use, &capacity, &map);
    return rc;
}

// --- what is resident of them ---

static enum mapping_kind choose_left_over(const struct memory_use *use)
{
    size_t counts[MAPPING_KIND_COUNT] = {0};
    enum mapping_kind most = 0;
    uint64_t hugetlb = use->status.bytes[MEMORY_HUGETLB]; // these pages are not in rss
    if (use->map_count <= LOOK_MOST || (hugetlb && hugetlb != MEMORY_UNKNOWN) ||
        use->status.bytes[MEMORY_RSS] == MEMORY_UNKNOWN ||
        use->status.bytes[MEMORY_SWAP] == MEMORY_UNKNOWN)
        return MAPPING_KIND_COUNT;
    for (size_t i = 0; i < use->map_count; i++)
        counts[use->uses[i].kind]++;
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        most = counts[kind] > counts[most] ? kind : most;
    return most;
}

// Looks at runs of mappings that are not of the kind that is left over.
static enum rc look_at_pages(struct memory_use *use, int pagemap, struct resident *residents)
{
    enum rc rc = RC_OK;
    use->left_over = choose_left_over(use);
    for (size_t from = 0, to; rc == RC_OK && from < use->map_count; from = to) {
        for (to = from; to < use->map_count && use->uses[to].kind != use->left_over;)
            to++;
        if (to > from)
            rc = resident_read(pagemap, use->maps + from, to - from, residents + from);
        while (to < use->map_count && use->uses[to].kind == use->left_over)
            to++;
    }
    if (rc == RC_LIMIT)
        use->resident_why = "so much is mapped that this kernel would take seconds to count pages "
                            "(before Linux 6.7); --pss does it";
    return rc == RC_LIMIT ? RC_OK : rc;
}

static struct memory_sizes sizes_by_pages(const struct memory_use *use, size_t at,
                                          const struct resident *resident)
{
    bool looked = !use->resident_why && use->uses[at].kind != use->left_over;
    return (struct memory_sizes){
        .mappings = 1,
        .size = use->maps[at].end - use->maps[at].start,
        .no_access = no_access(&use->maps[at]),
        .resident = looked ? resident->bytes : MEMORY_UNKNOWN,
        .swapped = looked ? resident->swapped : MEMORY_UNKNOWN,
        .huge = looked ? resident->huge : MEMORY_UNKNOWN,
        .pss = MEMORY_UNKNOWN,
        .locked = MEMORY_UNKNOWN,
    };
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

struct file_places {
    size_t *list; // of each number of a file its place in the list and 1; 0: it has none
    size_t capacity; // of the list of files
};

// Files are listed under the first of their mappings that has a path.
static void add_to_file(struct memory_use *use, struct file_places *places, size_t at,
                        const struct memory_sizes *sizes)
{
    const struct mapping_use *mapping = &use->uses[at];
    size_t *place = &places->list[mapping->file];
    if (!has_file(mapping->kind) || !*use->maps[at].path)
        return;
    if (!*place) {
        ARRAY_RESERVE(use->files, use->file_count, places->capacity);
        use->files[use->file_count++] =
            (struct memory_file){use->maps[at].path, mapping->kind, {0}};
        *place = use->file_count;
    }
    memory_sizes_add(&use->files[*place - 1].sizes, sizes);
}

static void add_up(struct memory_use *use, const struct resident *residents)
{
    struct file_places places = {.list = xcalloc(use->map_count + 1, sizeof *places.list)};
    for (size_t i = 0; i < use->map_count; i++) {
        struct memory_sizes sizes =
            use->sizes ? use->sizes[i] : sizes_by_pages(use, i, &residents[i]);
        memory_sizes_add(&use->kinds[use->uses[i].kind], &sizes);
        add_to_file(use, &places, i, &sizes);
    }
    free(places.list);
    give_left_over(use);
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        memory_sizes_add(&use->all, &use->kinds[kind]);
    if (use->file_count)
        qsort(use->files, use->file_count, sizeof *use->files, by_resident);
}

// --- reading ---

static void forget(struct memory_use *use)
{
    use->map_count = use->file_count = 0;
    free(steal_ptr(&use->maps));
    free(steal_ptr(&use->uses));
    free(steal_ptr(&use->sizes));
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

static enum rc find_kinds_and_pages(struct memory_use *use, pid_t tid,
                                    const struct stack_points *points)
{
    AUTO_FREE struct resident *residents = xcalloc(use->map_count + 1, sizeof *residents);
    AUTO_FD int pagemap = use->sizes ? -1 : open_pagemap(use->pid, tid);
    use->uses = xcalloc(use->map_count + 1, sizeof *use->uses);
    use->stacks = mapping_kinds(use->maps, use->map_count, points, use->uses);
    enum rc rc = use->sizes ? RC_OK : look_at_pages(use, pagemap, residents);
    if (rc == RC_OK)
        add_up(use, residents);
    return rc;
}

enum rc memory_mappings_read(struct memory_use *use, pid_t tid, bool smaps,
                             struct stack_points *points)
{
    struct maps maps;
    int64_t began = clock_thread();
    forget(use);
    use->left_over = MAPPING_KIND_COUNT;
    enum rc rc = maps_open(&maps, use->pid, tid);
    if (rc == RC_OK)
        rc = smaps ? list_smaps(use, tid) : list_maps(use, &maps);
    if (rc == RC_OK)
        rc = stack_points_read(points, use->pid);
    if (rc == RC_OK)
        rc = find_kinds_and_pages(use, tid, points);
    if (rc == RC_OK && !maps_file_is_current(maps.fd))
        rc = RC_GONE;
    maps_close(&maps);
    use->took.mappings = clock_thread() - began;
    return rc;
}
