// SPDX-License-Identifier: MIT
// Memory of this process that is read as if it were a target's: always at the same address, so that
// words can lead into it.
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/allocator.h"

#define OWN_MEMORY 0x220000000000ull

struct own_memory {
    struct heap_target target;
    struct proc_map map;
    unsigned char *bytes;
};

struct own_visits {
    uint64_t blocks, usable, taken;
    uint64_t first, last; // addresses
    bool bad;             // a block that lies elsewhere, or before the one that was visited last
};

static inline void own_memory_open(struct own_memory *own, size_t size, const char *path)
{
    void *bytes = mmap((void *)OWN_MEMORY, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    *own = (struct own_memory){.bytes = bytes};
    own->map = (struct proc_map){.start = OWN_MEMORY, .end = OWN_MEMORY + size, .readable = true,
                                 .writable = true, .path = xstrdup(path)};
    own->target.pid = own->target.tid = getpid();
    own->target.program = xstrdup("/program");
    own->target.regions.list = &own->map;
    own->target.regions.count = 1;
    own->target.modules = modules_new(); // none: nothing has a symbol
    own->target.space = space_new(own->target.modules, own->target.pid, own->target.pid);
    if (bytes != (void *)OWN_MEMORY ||
        heap_view_open(&own->target.view, own->target.pid, false, NULL) != RC_OK)
        abort();
}

static inline void own_memory_close(struct own_memory *own)
{
    heap_view_close(&own->target.view);
    space_free(own->target.space);
    modules_free(own->target.modules);
    munmap(own->bytes, own->map.end - own->map.start);
    free(own->map.path);
    free(own->target.program);
}

static inline void own_put(struct own_memory *own, uint64_t at, uint64_t value, size_t size)
{
    memcpy(own->bytes + (at - OWN_MEMORY), &value, size);
}

struct own_visiting {
    struct own_memory *own;
    struct own_visits *visits;
};

static inline bool own_visit(void *context, const struct block *block)
{
    struct own_visiting *visiting = context;
    struct own_visits *visits = visiting->visits;
    unsigned char sum = 0;
    for (size_t i = 0; i < block->have; i++)
        sum ^= block->bytes[i]; // a sanitizer sees whether they are there
    visits->bad |= block->address < visiting->own->map.start || block->usable > block->taken ||
                   block->address + block->usable > visiting->own->map.end ||
                   block->have > block->usable || block->have > BLOCK_HEAD ||
                   block->address <= visits->last || (sum && !block->have);
    visits->first = visits->first ? visits->first : block->address;
    visits->last = block->address;
    visits->blocks++;
    visits->usable += block->usable;
    visits->taken += block->taken;
    return true;
}

static inline struct own_visits own_walk(struct own_memory *own, const struct allocator *allocator,
                                         void *books)
{
    struct own_visits visits = {0};
    struct walk_quality quality = {0};
    struct own_visiting visiting = {own, &visits};
    heap_view_forget(&own->target.view);
    allocator->walk(books, &(struct block_visitor){&visiting, own_visit}, &quality);
    return visits;
}
