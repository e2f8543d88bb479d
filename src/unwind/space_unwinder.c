// SPDX-License-Identifier: MIT
#include "unwind/space_unwinder.h"

#include <string.h>

static bool read_code(void *context, uint64_t address, void *to, size_t length)
{
    return space_read(context, address, to, length);
}

static bool find_table(void *context, uint64_t pc, struct unwind_table *table)
{
    struct unwind_sections sections;
    const struct area *area = space_find(context, pc);
    if (!area || !space_unwind_sections(context, pc, &sections))
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

static bool find_debug_frame(void *context, uint64_t pc, struct code_section *section)
{
    struct debug_frame frame;
    if (!space_debug_frame(context, pc, &frame))
        return false;
    *section = (struct code_section){frame.start, frame.end, frame.bias, frame.bytes, frame.size};
    return true;
}

static size_t read_made(void *context, uint64_t address, void *to, size_t length)
{
    return space_read_made(context, address, to, length);
}

static bool is_code(void *context, uint64_t pc)
{
    return space_find(context, pc) != NULL;
}

// The return address of every uretprobe is the start of the page [uprobes].
static bool is_probe(void *context, uint64_t pc)
{
    const struct area *area = space_find(context, pc);
    return area && area->start == pc && strcmp(area->mapping->module->path, "[uprobes]") == 0;
}

struct unwinder *space_unwinder_new(struct space *space, size_t max_depth)
{
    const struct code_source source = {
        .context = space,
        .read = read_code,
        .table = find_table,
        .executable = is_code,
        .debug_frame = find_debug_frame,
        .made = read_made,
        .probe = is_probe,
    };
    return unwinder_new(&source, max_depth);
}
