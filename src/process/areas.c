// SPDX-License-Identifier: MIT
#include "process/areas.h"

#include <stdlib.h>

#include "base/ascending.h"
#include "process/module.h"

void areas_fini(struct areas *areas)
{
    free(areas->list);
    *areas = (struct areas){0};
}

const struct area *areas_find(const struct areas *areas, uint64_t address)
{
    const struct area *area = ascending_last(areas->list, areas->count, sizeof *area, address);
    return area && address < area->end ? area : NULL;
}

static bool in_extent(const struct area *area, uint64_t address)
{
    return address >= area->extent_start && address < area->extent_end;
}

const struct area *areas_find_module(struct areas *areas, uint64_t address)
{
    if (areas->last_read && in_extent(areas->last_read, address))
        return areas->last_read;
    for (size_t i = 0; i < areas->count; i++)
        if (in_extent(&areas->list[i], address))
            return areas->last_read = &areas->list[i];
    return NULL;
}

bool areas_read(struct areas *areas, uint64_t address, void *to, size_t length)
{
    const struct area *area = areas_find_module(areas, address);
    uint64_t offset;
    return area && image_offset(area->mapping->module->image, address - area->bias, &offset) &&
           image_read(area->mapping->module->image, offset, to, length);
}

bool areas_unwind_sections(const struct areas *areas, uint64_t pc,
                           struct unwind_sections *sections)
{
    const struct area *area = areas_find(areas, pc);
    const struct image *image = area ? area->mapping->module->image : NULL;
    if (!image || area->extent_start == area->extent_end)
        return false;
    *sections = (struct unwind_sections){
        .eh_frame_hdr = image->headers.eh_frame_hdr + area->bias,
        .eh_frame_hdr_size = image->headers.eh_frame_hdr_size,
        .eh_frame = image->headers.eh_frame + area->bias,
        .eh_frame_size = image->headers.eh_frame_size,
    };
    return sections->eh_frame_hdr_size || sections->eh_frame_size;
}
