// SPDX-License-Identifier: MIT
#include "symbol/reader/extents.h"

#include <stdlib.h>

#include "base/mem.h"
#include "unwind/cfi.h"
#include "unwind/fde_index.h"

struct extents {
    const struct image *image;
    struct code_memory memory;
    struct fde_index index;
};

static bool read_image(void *context, uint64_t vaddr, void *to, size_t length)
{
    const struct extents *extents = context;
    uint64_t offset;
    return image_offset(extents->image, vaddr, &offset) &&
           image_read(extents->image, offset, to, length);
}

static bool find_table(void *context, uint64_t pc, struct unwind_table *table)
{
    const struct image *image = ((const struct extents *)context)->image;
    (void)pc;
    *table = (struct unwind_table){
        .end = UINT64_MAX,
        .hdr = image->headers.eh_frame_hdr,
        .hdr_size = image->headers.eh_frame_hdr_size,
        .frames = image->headers.eh_frame,
        .frames_size = image->headers.eh_frame_size,
    };
    return image->headers.eh_frame_hdr_size || image->headers.eh_frame_size;
}

struct extents *extents_new(const struct image *image)
{
    struct extents *extents = xcalloc(1, sizeof *extents);
    extents->image = image;
    extents->memory.source =
        (struct code_source){.context = extents, .read = read_image, .table = find_table};
    return extents;
}

void extents_free(struct extents *extents)
{
    if (!extents)
        return;
    fde_index_fini(&extents->index);
    free(extents);
}

bool extents_find(struct extents *extents, uint64_t vaddr, uint64_t *start, uint64_t *end)
{
    struct fde_entry entry;
    return fde_index_find(&extents->index, &extents->memory, vaddr, &entry) &&
           cfi_range(&extents->memory, entry.fde, start, end) && vaddr >= *start && vaddr < *end;
}

uint64_t extents_next(struct extents *extents, uint64_t vaddr)
{
    struct fde_entry next;
    return fde_index_next(&extents->index, &extents->memory, vaddr, &next) ? next.pc : UINT64_MAX;
}
