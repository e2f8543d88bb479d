// SPDX-License-Identifier: MIT
#include "unwind/area_unwinder.h"

#include <string.h>

#include "process/module.h"

static const struct area *area_at(void *context, uint64_t pc)
{
    const struct area_source *source = context;
    return areas_find(source->areas, pc);
}

// Returns the image of the area's module, and notes that it is being read; NULL when there is none.
static struct image *image_of(const struct area_source *source, const struct area *area)
{
    struct module *module = area->mapping->module;
    if (source->reading)
        atomic_store_explicit(source->reading, module->id + 1, memory_order_relaxed);
    if (!module->image && source->open_image)
        source->open_image(source->context, module);
    return module->image;
}

static bool read_code(void *context, uint64_t address, void *to, size_t length)
{
    const struct area_source *source = context;
    const struct area *area = areas_find_module(source->areas, address);
    return area && image_of(source, area) && areas_read(source->areas, address, to, length);
}

static bool find_table(void *context, uint64_t pc, struct unwind_table *table)
{
    const struct area_source *source = context;
    struct unwind_sections sections;
    const struct area *area = areas_find(source->areas, pc);
    if (!area || !image_of(source, area) ||
        !areas_unwind_sections(source->areas, pc, &sections))
        return false;
    *table = (struct unwind_table){
        .start = area->start,
        .end = area->end,
        .hdr = sections.eh_frame_hdr,
        .hdr_size = sections.eh_frame_hdr_size,
        .frames = sections.eh_frame,
        .frames_size = sections.eh_frame_size,
    };
    return true;
}

// Returns the section of the file, or of its separate debug file, to which stripping moves it.
static const unsigned char *debug_frame_of(const struct area_source *source,
                                           struct module *module, size_t *size)
{
    const unsigned char *bytes = image_debug_frame(module->image, size);
    if (bytes || module->kind != MODULE_FILE)
        return bytes;
    if (!module->debug_sought)
        module->debug = source->open_debug(source->context, module);
    module->debug_sought = true;
    return module->debug ? image_debug_frame(module->debug, size) : NULL;
}

static bool find_debug_frame(void *context, uint64_t pc, struct code_section *section)
{
    const struct area *area = area_at(context, pc);
    if (!area)
        return false;
    *section = (struct code_section){.start = area->start, .end = area->end, .bias = area->bias};
    if (area->extent_start != area->extent_end && image_of(context, area))
        section->bytes = debug_frame_of(context, area->mapping->module, &section->size);
    return true;
}

static size_t read_made(void *context, uint64_t address, void *to, size_t length)
{
    const struct area_source *source = context;
    const struct area *area = areas_find(source->areas, address);
    bool made = area && area->extent_start == area->extent_end;
    return made ? source->read_made(source->context, address, to, length) : 0;
}

static bool is_code(void *context, uint64_t pc)
{
    return area_at(context, pc) != NULL;
}

// Returns whether pc is the return address of every uretprobe, which is the start of the page
// [uprobes].
static bool is_probe(void *context, uint64_t pc)
{
    const struct area *area = area_at(context, pc);
    return area && area->start == pc && strcmp(area->mapping->module->path, "[uprobes]") == 0;
}

struct unwinder *area_unwinder_new(struct area_source *area_source, size_t max_depth)
{
    const struct code_source source = {
        .context = area_source,
        .read = read_code,
        .table = find_table,
        .executable = is_code,
        .debug_frame = find_debug_frame,
        .made = read_made,
        .probe = is_probe,
    };
    return unwinder_new(&source, max_depth);
}
