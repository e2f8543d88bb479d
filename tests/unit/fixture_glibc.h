// SPDX-License-Identifier: MIT
// A heap of glibc's that is made by hand in our own memory, of a main arena and another one, as
// several releases lay it out; what reads other processes reads it there. Unit tests and a fuzzer
// share it.
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/allocator.h"

#define MADE_ALIGN (64ull << 20)
#define MADE_PIECE 32768u         // bytes of each of the four mappings
#define MADE_USED 0x1111111111111111ull // what blocks in use hold
#define MADE_KEY 0x9f3b17d2c4a86e55ull
#define MADE_MAPPED 0x5000u       // bytes of a block with a mapping of its own

enum made_release { MADE_2_28, MADE_2_31, MADE_2_36 };

struct made_glibc {
    enum made_release release;
    unsigned char *data, *heap, *other, *mapped; // libc's variables, brk's, a heap, a mapping
    struct proc_map maps[4];
    char paths[3][16];
    struct heap_target target;
    unsigned blocks; // in use, those with mappings included
};

static inline void made_put(unsigned char *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline uint64_t made_at(const unsigned char *address)
{
    return (uint64_t)(uintptr_t)address;
}

static inline void made_arena(unsigned char *arena, const unsigned char *top,
                              const unsigned char *next)
{
    made_put(arena + 0x60, made_at(top));
    for (unsigned k = 0; k < 127; k++) {
        made_put(arena + 0x70 + 16 * k, made_at(arena) + 0x60 + 16 * k);
        made_put(arena + 0x78 + 16 * k, made_at(arena) + 0x60 + 16 * k);
    }
    made_put(arena + 0x870, made_at(next));
    made_put(arena + 0x880, 1);
    made_put(arena + 0x888, MADE_PIECE);
    made_put(arena + 0x890, MADE_PIECE);
}

// mp_ as it is since glibc 2.35, or before.
static inline void made_parameters(struct made_glibc *made)
{
    unsigned char *par = made->data + 0x100;
    unsigned more = made->release == MADE_2_36 ? 24 : 0;
    unsigned ints = made->release == MADE_2_36 ? 60 : 40;
    uint32_t numbers[] = {1, 65536, 1, 0};
    made_put(par, 131072);
    made_put(par + 8, 131072);
    made_put(par + 16, 131072);
    made_put(par + 24, 8);
    memcpy(par + ints, numbers, sizeof numbers);
    made_put(par + 56 + more, MADE_MAPPED);
    made_put(par + 64 + more, MADE_MAPPED);
    made_put(par + 72 + more, made_at(made->heap));
    made_put(par + 80 + more, 64);
    made_put(par + 88 + more, 1032);
    made_put(par + 96 + more, 7);
}

// Writes a chunk that lies behind one in use; returns where the next one goes.
static inline unsigned char *made_chunk(unsigned char *at, uint64_t size, uint64_t flags)
{
    made_put(at + 8, size | 1 | flags);
    for (uint64_t i = 16; i < size + 8; i += 8)
        made_put(at + i, MADE_USED);
    return at + size;
}

static inline uint64_t made_link(const struct made_glibc *made, const unsigned char *place,
                                 uint64_t to)
{
    return made->release == MADE_2_36 ? to ^ made_at(place) >> 12 : to;
}

// A cache of a thread with two blocks in one bin, behind it.
static inline unsigned char *made_cache(const struct made_glibc *made, unsigned char *at,
                                        uint64_t flags)
{
    unsigned wide = made->release == MADE_2_28 ? 1 : 2;
    uint64_t size = made->release == MADE_2_28 ? 0x250 : 0x290;
    unsigned char *cache = at + 16, *first = made_chunk(at, size, flags);
    unsigned char *second = made_chunk(first, 48, flags), *end = made_chunk(second, 48, flags);
    memset(cache, 0, size - 16);
    cache[wide] = 2;
    made_put(cache + wide * 64 + 8, made_at(first + 16));
    made_put(first + 16, made_link(made, first + 16, made_at(second + 16)));
    made_put(second + 16, made_link(made, second + 16, 0));
    uint64_t mark = made->release == MADE_2_36 ? MADE_KEY : made_at(cache);
    if (made->release != MADE_2_28) {
        made_put(first + 24, mark);
        made_put(second + 24, mark);
    }
    return end;
}

// Blocks, a free chunk among them whose neighbour says so, two chunks in a fast bin, and the top.
static inline void made_chunks(struct made_glibc *made, unsigned char *arena, unsigned char *at,
                               const unsigned char *end, uint64_t flags)
{
    unsigned char *fast[2];
    at = made_cache(made, at, flags);
    for (unsigned i = 0; i < 100; i++, made->blocks++)
        at = made_chunk(at, 64 + 16 * (i % 4), flags);
    for (unsigned i = 0; i < 2; i++) {
        fast[i] = at;
        at = made_chunk(at, 32, flags);
    }
    made_put(arena + 0x10, made_at(fast[0]));
    made_put(fast[0] + 16, made_link(made, fast[0] + 16, made_at(fast[1])));
    made_put(fast[1] + 16, made_link(made, fast[1] + 16, 0));
    unsigned char *gap = at;
    at = made_chunk(at, 512, 0);
    made_put(gap + 16, made_at(arena) + 0x60);
    made_put(gap + 24, made_at(arena) + 0x60);
    made_put(arena + 0x70, made_at(gap)); // unsorted
    made_put(arena + 0x78, made_at(gap));
    unsigned char *behind = at;
    at = made_chunk(at, 1024, flags);
    made->blocks++;
    made_put(behind, 512);
    made_put(behind + 8, 1024 | flags);
    made_put(arena + 0x60, made_at(at));
    made_put(at + 8, (uint64_t)(end - at) | 1);
}

static inline void made_fill(struct made_glibc *made)
{
    unsigned char *main = made->data + 0x400;
    uint64_t head = made->release == MADE_2_36 ? 0x30 : 0x20;
    unsigned char *arena = made->other + head;
    unsigned char *parts[] = {made->data, made->heap, made->other, made->mapped};
    for (unsigned i = 0; i < 4; i++)
        memset(parts[i], 0, MADE_PIECE);
    made_arena(main, made->heap, arena);
    made_arena(arena, made->other, main);
    made_put(main + 0x888, MADE_PIECE);
    if (made->release == MADE_2_36)
        made_put(made->data + 0x2000, MADE_KEY);
    made_parameters(made);
    made->blocks = 1;
    made_chunks(made, main, made->heap, made->heap + MADE_PIECE, 0);
    made_put(made->other, made_at(arena));
    made_put(made->other + 16, MADE_PIECE);
    made_put(made->other + 24, MADE_PIECE);
    made_chunks(made, arena, made->other + ((head + 0x898 + 15) & ~15ull),
                made->other + MADE_PIECE, 4);
    made_put(made->mapped + 8, MADE_MAPPED | 2);
}

static inline void made_map(struct made_glibc *made, unsigned number, unsigned char **part,
                            unsigned char *at, const char *path)
{
    char *name = made->paths[number < 2 ? number : 2];
    *part = at;
    if (mprotect(at, MADE_PIECE, PROT_READ | PROT_WRITE) != 0)
        abort();
    snprintf(name, sizeof made->paths[0], "%s", path);
    made->maps[number] = (struct proc_map){.start = made_at(at),
                                           .end = made_at(at) + MADE_PIECE,
                                           .readable = true,
                                           .writable = true,
                                           .path = name};
}

static inline void made_glibc_open(struct made_glibc *made, enum made_release release)
{
    unsigned char *room = mmap(NULL, 3 * MADE_ALIGN, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        abort();
    unsigned char *base = room + (MADE_ALIGN - made_at(room) % MADE_ALIGN);
    *made = (struct made_glibc){.release = release};
    made_map(made, 0, &made->data, base - (1 << 20), "/libc.so.6");
    made_map(made, 1, &made->heap, base - (1 << 19), "[heap]");
    made_map(made, 2, &made->other, base, "");
    made_map(made, 3, &made->mapped, base + (1 << 20), "");
    made->target = (struct heap_target){
        .pid = getpid(), .tid = getpid(),
        .regions = {.list = made->maps, .count = 4, .capacity = 4}};
    struct err err;
    if (heap_view_open(&made->target.view, getpid(), false, &err) != RC_OK)
        abort();
    made_fill(made);
}
