// SPDX-License-Identifier: MIT
#include "process/space.h"

#include <elf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/copied_code.h"
#include "process/debug_image.h"
#include "process/maps.h"
#include "process/memory.h"
#include "process/module_file.h"

#define COMPARE_SHARE 100 // comparing maps takes at most 1 / COMPARE_SHARE of the time
#define DOUBT_SHARE 8     // this last part of the time in which a change fell counts as after it

struct space {
    struct modules *modules;
    pid_t pid;
    struct maps maps;
    uint64_t image;       // maps_image_number
    int64_t compared_at;  // CLOCK_MONOTONIC ns; only used without PROCMAP_QUERY
    int64_t compare_cost; // CPU time, ns
    struct jit *jit; // owned by modules
    struct areas areas;
};

struct space *space_new(struct modules *modules, pid_t pid, pid_t tid)
{
    struct space *space = xcalloc(1, sizeof *space);
    space->modules = modules;
    space->pid = pid;
    space->jit = modules_jit_new(modules, pid);
    space->maps = MAPS_NONE;
    bool changed;
    if (space_refresh(space, tid, &changed) != RC_OK)
        space->areas.count = 0; // process gone, or access denied: no address is known
    return space;
}

void space_free(struct space *space)
{
    if (!space)
        return;
    space_finish(space);
    maps_close(&space->maps);
    areas_fini(&space->areas);
    free(space);
}

void space_borrow(struct space *space, const struct space *other)
{
    space->image = other->image;
    for (size_t i = 0; i < other->areas.count; i++) {
        ARRAY_RESERVE(space->areas.list, space->areas.count, space->areas.capacity);
        space->areas.list[space->areas.count++] = other->areas.list[i];
    }
}

bool space_is_empty(const struct space *space)
{
    return !space->areas.count;
}

const struct area *space_find(const struct space *space, uint64_t address)
{
    return areas_find(&space->areas, address);
}

struct areas *space_areas(struct space *space)
{
    return &space->areas;
}

const struct area *space_locate(const struct space *space, uint64_t pc, uint64_t *offset)
{
    const struct area *area = space_find(space, pc);
    bool in_file = area && area->mapping->module->kind != MODULE_ANON;
    *offset = in_file ? pc - area->start + area->mapping->offset : pc;
    return area;
}

const struct mapping *space_mapping(struct space *space, const struct area *area, uint64_t pc)
{
    const struct module *module = area->mapping->module;
    if (!module->jit)
        return area->mapping;
    size_t moved = jit_refresh(space->jit);
    if (moved != SIZE_MAX)
        modules_jit_moved(space->modules, space->jit, moved);
    jit_use(space->jit, pc);
    return module->names_known == SIZE_MAX ? area->mapping
                                           : modules_jit(space->modules, space->jit, module->path);
}

void space_finish(struct space *space)
{
    size_t moved = jit_finish(space->jit);
    if (moved != SIZE_MAX)
        modules_jit_moved(space->modules, space->jit, moved);
    modules_jit_finished(space->modules, space->jit);
}

// Finds the code segment that a mapping from this file offset shows. Linkers may begin the segment
// anywhere in the first page of the mapping, which then also holds the end of the segment before. A
// program that maps a file by itself may begin the mapping further ahead.
static const struct segment *code_segment(const struct image *image, uint64_t offset, uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const struct segment *inside = NULL;
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t start = segment->offset & -page;
        if (!(segment->flags & PF_X))
            continue;
        if (start <= offset && offset - start < segment->file_size + page)
            return segment;
        if (!inside && start > offset && start - offset < size)
            inside = segment;
    }
    return inside;
}

static struct area area_make(const struct proc_map *map, const struct mapping *mapping)
{
    struct area area = {.start = map->start,
                        .end = map->end,
                        .mapping = mapping,
                        .device = map->device,
                        .inode = map->inode,
                        .shift = map->start - map->offset};
    const struct image *image = mapping->module->image;
    const struct segment *code = image ? code_segment(image, mapping->offset, map->end - map->start)
                                       : NULL;
    uint64_t low = UINT64_MAX, high = 0;
    if (!code)
        return area;
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        low = segment->vaddr < low ? segment->vaddr : low;
        high = segment->vaddr + segment->memory_size > high
                   ? segment->vaddr + segment->memory_size
                   : high;
    }
    area.bias = area.start - mapping->offset + code->offset - code->vaddr;
    area.extent_start = area.bias + low;
    area.extent_end = area.bias + high;
    return area;
}

size_t space_read_made(const struct space *space, uint64_t address, void *to, size_t length)
{
    const struct area *area = space_find(space, address);
    if (!area || area->mapping->module->image)
        return 0;
    // In a file that is not ELF, the next page may have to come from a slow file system.
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t end = area->mapping->module->jit ? area->end : (address | (page - 1)) + 1;
    size_t left = end - address;
    return memory_read_some(space->pid, address, to, length < left ? length : left);
}

struct image *space_debug_image(const struct space *space, const struct module *module)
{
    return module->image ? debug_image_open(module, space->pid) : NULL;
}

struct module *space_module(const struct space *space, uint32_t number)
{
    return number < modules_count(space->modules) ? modules_get(space->modules, number) : NULL;
}

// Returns whether reading the maps again gave the same area.
static bool is_same(const struct area *now, const struct area *old)
{
    return now->start == old->start && now->end == old->end &&
           (now->mapping == old->mapping ||
            (now->mapping->module->jit && old->mapping->module->jit));
}

static bool has_area(const struct areas *areas, const struct area *old)
{
    const struct area *now = areas_find(areas, old->start);
    return now && is_same(now, old);
}

// A library whose mapping grew or was split by mprotect is still the same one at that place.
static bool shows_the_same(const struct area *now, const struct area *old)
{
    const struct module *module = old->mapping->module;
    return now->mapping->module == module &&
           (module->kind != MODULE_FILE ||
            now->start - now->mapping->offset == old->start - old->mapping->offset);
}

// Notes for each area whether it replaced another one by `now`, and when that one was last seen.
static void note_changes(struct areas *areas, const struct areas *old, int64_t now)
{
    for (size_t i = 0, k = 0; i < areas->count; i++) {
        struct area *area = &areas->list[i];
        area->true_at = now;
        while (k < old->count && old->list[k].end <= area->start)
            k++;
        if (k == old->count || old->list[k].start >= area->end)
            continue;
        const struct area *before = &old->list[k];
        bool same = shows_the_same(area, before);
        area->since = same ? before->since : now;
        area->before = same ? before->before : before->true_at;
    }
}

struct beginning { // where the file that was mapped last begins
    uint64_t device, inode, base;
};

// Linkers and loaders map a file in ascending order, beginning with its headers.
static uint64_t base_of(struct beginning *beginning, const struct proc_map *map)
{
    bool same = beginning->device == map->device && beginning->inode == map->inode;
    if (map->inode && map->offset == 0)
        *beginning = (struct beginning){map->device, map->inode, map->start};
    else if (map->inode && !same)
        *beginning = (struct beginning){map->device, map->inode, 0};
    return map->inode ? beginning->base : 0;
}

struct lines { // the lines of maps
    struct proc_map *maps; // owned; `list` is owned too
    struct mapped *list;
    size_t count, capacity;
};

static void parse_lines(struct lines *lines, const struct space *space, pid_t tid, char *text)
{
    struct proc_map map;
    struct beginning beginning = {0};
    for (char *cursor = text; proc_map_parse(&cursor, &map);) {
        ARRAY_RESERVE(lines->maps, lines->count, lines->capacity);
        lines->maps[lines->count++] = map;
    }
    lines->list = xcalloc(lines->count, sizeof *lines->list);
    for (size_t i = 0; i < lines->count; i++)
        lines->list[i] = (struct mapped){tid, &lines->maps[i],
                                         base_of(&beginning, &lines->maps[i]), space->jit};
}

// Memory that was shown to be a copy is not compared again as long as the same mapping is there.
static const struct mapping *known_copy(const struct areas *old, const struct proc_map *map)
{
    const struct area *area = areas_find(old, map->start);
    bool same = area && area->start == map->start && area->end == map->end &&
                area->inode == map->inode && area->copied;
    return same ? area->mapping : NULL;
}

static struct area read_area(struct space *space, const struct areas *old,
                             const struct lines *lines, size_t at)
{
    const struct proc_map *map = &lines->maps[at];
    const struct mapping *mapping = modules_map(space->modules, &lines->list[at]);
    const struct mapping *copy = NULL;
    if (!mapping->module->image)
        copy = known_copy(old, map);
    if (!mapping->module->image && !copy)
        copy = copied_code_find(space->modules, lines->list, lines->count, at);
    struct area area = area_make(map, copy ? copy : mapping);
    area.copied = copy;
    return area;
}

static void read_areas(struct space *space, const struct areas *old, pid_t tid, char *text)
{
    struct lines lines = {0};
    struct areas *areas = &space->areas;
    parse_lines(&lines, space, tid, text);
    for (size_t i = 0; i < lines.count; i++) {
        if (!lines.maps[i].executable || lines.maps[i].start >= 1ull << 63) // [vsyscall]
            continue;
        struct area area = read_area(space, old, &lines, i);
        ARRAY_RESERVE(areas->list, areas->count, areas->capacity);
        areas->list[areas->count++] = area;
    }
    free(lines.maps);
    free(lines.list);
}

// Opens the maps of an image whose number is the same before and after: the process may execute
// another program in between, and the maps of the one before it can be read on while anybody is in
// the middle of reading its memory.
static enum rc open_maps(struct space *space, pid_t tid)
{
    maps_close(&space->maps);
    uint64_t before = maps_image_number(space->pid, tid);
    enum rc rc = maps_open(&space->maps, space->pid, tid);
    space->image = maps_image_number(space->pid, tid);
    return rc == RC_OK && space->image != before ? RC_GONE : rc;
}

// While nothing is known, the maps are opened anew by way of `tid`: those of a leader that has
// ended are empty, those of another thread may not be.
static enum rc read_maps(struct space *space, pid_t tid, struct buf *text)
{
    enum rc rc = RC_OK;
    if (space_is_empty(space))
        rc = open_maps(space, tid);
    return rc == RC_OK ? maps_read(&space->maps, text) : rc;
}

enum rc space_refresh(struct space *space, pid_t tid, bool *changed)
{
    AUTO_BUF struct buf text = {0};
    int64_t now = clock_now();
    *changed = false;
    enum rc rc = read_maps(space, tid, &text);
    if (rc != RC_OK)
        return rc;
    struct areas old = space->areas;
    space->areas = (struct areas){0};
    space->compared_at = now;
    read_areas(space, &old, tid, text.data);
    note_changes(&space->areas, &old, now);
    for (size_t i = 0; i < old.count && !*changed; i++)
        *changed = !has_area(&space->areas, &old.list[i]);
    areas_fini(&old);
    return RC_OK;
}

uint64_t space_image(const struct space *space)
{
    return space->image;
}

static bool is_as_known(const struct area *area, const struct proc_map *map)
{
    return map->executable && map->inode == area->inode && map->device == area->device &&
           (!area->inode || map->start - map->offset == area->shift);
}

// On kernels that cannot be asked, the areas are unchanged as long as the text of maps is.
// Comparing a long text costs much, so it is done the less often the longer it is.
static bool text_is_same(struct space *space)
{
    int64_t now = clock_now(), began = clock_thread();
    bool same;
    if (now - space->compared_at < space->compare_cost * COMPARE_SHARE)
        return true;
    enum rc rc = maps_compare(&space->maps, &same);
    space->compare_cost = clock_thread() - began;
    space->compared_at = now;
    for (size_t i = 0; rc == RC_OK && same && i < space->areas.count; i++)
        space->areas.list[i].true_at = now;
    return rc != RC_OK || same;
}

bool space_is_true(struct space *space, uint64_t address, int64_t time)
{
    const struct area *found = space_find(space, address);
    struct proc_map map;
    if (!found || found->true_at >= time)
        return true;
    int64_t now = clock_now();
    struct area *area = &space->areas.list[found - space->areas.list];
    switch (maps_ask(&space->maps, address, &map)) {
    case MAPS_FOUND:
        if (!is_as_known(area, &map))
            return false;
        area->true_at = now;
        return true;
    case MAPS_NOTHING:
        return false;
    case MAPS_DEAF:
        return text_is_same(space);
    case MAPS_GONE:
        break;
    }
    return true; // the image has ended: it was true to its end, as far as is known
}

bool space_is_doubtful(const struct space *space, uint64_t address, int64_t time)
{
    const struct area *area = space_find(space, address);
    return area && area->since && time < area->since &&
           (area->since - time) * DOUBT_SHARE > area->since - area->before;
}
