// SPDX-License-Identifier: MIT
#include "symbol/source.h"

#include <stdlib.h>

#include "base/mem.h"

void source_fini(struct source *source)
{
    map_fini(&source->known);
    free(source->wanted);
    free(source->tried);
    free(source->downloaded);
}

void source_want(struct source *source, const struct module *module, uint64_t vaddr,
                 uint64_t offset)
{
    source->module = module;
    ARRAY_RESERVE(source->wanted, source->wanted_count, source->wanted_capacity);
    source->wanted[source->wanted_count++] = (struct wanted){vaddr, offset};
    map_put(&source->known, offset, SOURCE_PENDING);
}

static int compare_wanted(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    return (a->vaddr > b->vaddr) - (a->vaddr < b->vaddr);
}

void source_sort(struct source *source)
{
    qsort(source->wanted, source->wanted_count, sizeof *source->wanted, compare_wanted);
}

void source_keep_pending(struct source *source)
{
    size_t kept = 0;
    for (size_t i = 0; i < source->wanted_count; i++)
        if (map_get(&source->known, source->wanted[i].offset, 0) == SOURCE_PENDING)
            source->wanted[kept++] = source->wanted[i];
    source->wanted_count = kept;
}

void source_want_again(struct source *source)
{
    struct map old = source->known;
    source->known = (struct map){0};
    for (size_t i = 0; i < old.capacity; i++) {
        uint64_t vaddr;
        if (old.slots[i].used && image_vaddr(source->module->image, old.slots[i].key, &vaddr))
            source_want(source, source->module, vaddr, old.slots[i].key);
    }
    map_fini(&old);
}

const char *source_problem(const struct source *source)
{
    static const char *const problems[] = {
        [RC_FAIL] = "reading its symbols ended the process that did it",
        [RC_TIMEOUT] = "reading its symbols took too long",
        [RC_FORMAT] = "reading its symbols gave nonsense",
        [RC_IO] = "its file could not be handed over",
        [RC_LIMIT] = "no process could be started to read its symbols",
    };
    return source->failures ? problems[source->failure] : NULL;
}
