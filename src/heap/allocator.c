// SPDX-License-Identifier: MIT
#include "heap/allocator.h"

#include "base/mem.h"

const struct allocator *const allocators[] = {
    &allocator_pymalloc, // before those that its large objects are from
    &allocator_glibc,
    &allocator_jemalloc,
    &allocator_tcmalloc,
    &allocator_musl,
    &allocator_mimalloc,
    &allocator_go,
    &allocator_jvm,
    NULL,
};

void allocator_find_all(struct found_allocators *found, struct heap_target *target)
{
    *found = (struct found_allocators){0};
    for (size_t i = 0; allocators[i] && found->count < ARRAY_LENGTH(found->list); i++) {
        void *books = allocators[i]->find(target, &found->why);
        if (books)
            found->list[found->count++] = (struct found_allocator){allocators[i], books};
    }
}

void allocator_free_all(struct found_allocators *found)
{
    for (size_t i = 0; i < found->count; i++)
        found->list[i].allocator->free(found->list[i].books);
    buf_fini(&found->why);
    *found = (struct found_allocators){0};
}
