// SPDX-License-Identifier: MIT
#include <elf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "target/debug_image.h"
#include "target/memory.h"
#include "target/module.h"
#include "target/module_file.h"

struct space {
    struct modules *modules;
    pid_t pid;
    struct jit *jit; // owned by modules
    struct area *areas; // sorted by start
    size_t count, capacity;
    const struct area *last_read; // where space_read found its last address
};

struct space *space_new(struct modules *modules, pid_t pid, pid_t tid)
{
    struct space *space = xcalloc(1, sizeof *space);
    space->modules = modules;
    space->pid = pid;
    space->jit = modules_jit_new(modules, pid);
    bool changed;
    if (space_refresh(space, tid, &changed) != RC_OK)
        space->count = 0; // it is gone, or denied: every address will be unknown
    return space;
}

void space_free(struct space *space)
{
    if (!space)
        return;
    space_settle(space);
    free(space->areas);
    free(space);
}

bool space_is_empty(const struct space *space)
{
    return !space->count;
}

const struct area *space_find(const struct space *space, uint64_t address)
{
    size_t low = 0, high = space->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct area *area = &space->areas[middle];
        if (address < area->start)
            high = middle;
        else if (address >= area->end)
            low = middle + 1;
        else
            return area;
    }
    return NULL;
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

void space_settle(struct space *space)
{
    size_t moved = jit_settle(space->jit);
    if (moved != SIZE_MAX)
        modules_jit_moved(space->modules, space->jit, moved);
    modules_jit_settled(space->modules, space->jit);
}

// The code segment that a mapping from this file offset shows. Linkers may begin it anywhere in its
// first page, which then also holds the end of the segment before it.
static const struct segment *code_segment(const struct image *image, uint64_t offset)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (segment->flags & PF_X && (segment->offset & -page) <= offset &&
            offset - (segment->offset & -page) < segment->file_size + page)
            return segment;
    }
    return NULL;
}

static struct area area_make(const struct proc_map *map, const struct mapping *mapping)
{
    struct area area = {.start = map->start, .end = map->end, .mapping = mapping};
    const struct image *image = mapping->module->image;
    const struct segment *code = image ? code_segment(image, mapping->offset) : NULL;
    uint64_t low = UINT64_MAX, high = 0;
    if (!code)
        return area;
    for (size_t i = 0; i < image->segment_count; i++) {
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

static bool in_extent(const struct area *area, uint64_t address)
{
    return address >= area->extent_start && address < area->extent_end;
}

const struct area *space_find_module(struct space *space, uint64_t address)
{
    if (space->last_read && in_extent(space->last_read, address))
        return space->last_read;
    for (size_t i = 0; i < space->count; i++)
        if (in_extent(&space->areas[i], address))
            return space->last_read = &space->areas[i];
    return NULL;
}

bool space_read(struct space *space, uint64_t address, void *to, size_t length)
{
    const struct area *area = space_find_module(space, address);
    uint64_t offset;
    return area && image_offset(area->mapping->module->image, address - area->bias, &offset) &&
           image_read(area->mapping->module->image, offset, to, length);
}

bool space_unwind_sections(const struct space *space, uint64_t pc,
                           struct unwind_sections *sections)
{
    const struct area *area = space_find(space, pc);
    const struct image *image = area ? area->mapping->module->image : NULL;
    if (!image || area->extent_start == area->extent_end)
        return false;
    *sections = (struct unwind_sections){
        .eh_frame_hdr = image->eh_frame_hdr + area->bias,
        .eh_frame_hdr_size = image->eh_frame_hdr_size,
        .eh_frame = image->eh_frame + area->bias,
        .eh_frame_size = image->eh_frame_size,
    };
    return sections->eh_frame_hdr_size || sections->eh_frame_size;
}

// Of the file, else of its separate debug file: stripping takes the section away.
static const unsigned char *debug_frame_of(struct module *module, pid_t pid, size_t *size)
{
    const unsigned char *bytes = image_debug_frame(module->image, size);
    if (bytes || module->kind != MODULE_FILE)
        return bytes;
    if (!module->debug_sought)
        module->debug = debug_image_open(module, pid);
    module->debug_sought = true;
    return module->debug ? image_debug_frame(module->debug, size) : NULL;
}

size_t space_read_made(const struct space *space, uint64_t address, void *to, size_t length)
{
    const struct area *area = space_find(space, address);
    if (!area || !area->mapping->module->jit)
        return 0;
    size_t left = area->end - address;
    return memory_read_some(space->pid, address, to, length < left ? length : left);
}

bool space_debug_frame(const struct space *space, uint64_t pc, struct debug_frame *frame)
{
    const struct area *area = space_find(space, pc);
    if (!area)
        return false;
    struct module *module = area->mapping->module;
    *frame = (struct debug_frame){.start = area->start, .end = area->end, .bias = area->bias};
    if (module->image && area->extent_start != area->extent_end)
        frame->bytes = debug_frame_of(module, space->pid, &frame->size);
    return true;
}

static bool has_area(const struct space *space, const struct area *old)
{
    const struct area *now = space_find(space, old->start);
    if (!now || now->start != old->start || now->end != old->end)
        return false;
    return now->mapping == old->mapping || (now->mapping->module->jit && old->mapping->module->jit);
}

struct beginning { // of the file that was mapped last
    uint64_t device, inode, base;
};

// Linkers and loaders place a file in ascending order, its headers first.
static uint64_t base_of(struct beginning *beginning, const struct proc_map *map)
{
    bool same = beginning->device == map->device && beginning->inode == map->inode;
    if (map->inode && map->offset == 0)
        *beginning = (struct beginning){map->device, map->inode, map->start};
    else if (map->inode && !same)
        *beginning = (struct beginning){map->device, map->inode, 0};
    return map->inode ? beginning->base : 0;
}

enum rc space_refresh(struct space *space, pid_t tid, bool *changed)
{
    AUTO_BUF struct buf text = {0};
    *changed = false;
    enum rc rc = procfs_read(&text, "/proc/%d/task/%d/maps", space->pid, tid);
    if (rc != RC_OK || !text.length)
        return rc == RC_OK ? RC_GONE : rc;
    struct space old = *space;
    space->areas = NULL;
    space->last_read = NULL;
    space->count = space->capacity = 0;
    struct proc_map map;
    struct beginning beginning = {0};
    for (char *cursor = text.data; proc_map_parse(&cursor, &map);) {
        uint64_t base = base_of(&beginning, &map);
        if (!map.executable || map.start >= 1ull << 63) // [vsyscall]
            continue;
        ARRAY_RESERVE(space->areas, space->count, space->capacity);
        struct mapped mapped = {tid, &map, base, space->jit};
        const struct mapping *mapping = modules_map(space->modules, &mapped);
        space->areas[space->count++] = area_make(&map, mapping);
    }
    for (size_t i = 0; i < old.count && !*changed; i++)
        *changed = !has_area(space, &old.areas[i]);
    free(old.areas);
    return RC_OK;
}
