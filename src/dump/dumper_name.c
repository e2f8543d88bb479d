// SPDX-License-Identifier: MIT
// Fetches names while the census goes on: most names belong to the first threads, and reading the
// debug information of libc takes as long as reading a thousand threads.
#include <stdlib.h>

#include "base/mem.h"
#include "dump/dumper_child.h"
#include "symbol/fetcher.h"

#define WAIT_MS 1000

struct dumper_names {
    struct symbolizer *symbolizer; // belongs to the fetcher while `fetching`
    struct fetcher *fetcher;       // NULL: not started, or its thread could not be started
    bool fetching;
    struct map known; // key_of -> 1: is in `wanted`, or was asked for before
    struct code_place {
        uint32_t mapping;
        uint64_t offset;
    } *wanted; // not yet asked for
    size_t count, capacity;
};

struct dumper_names *dumper_names_new(struct symbolizer *symbolizer)
{
    struct dumper_names *names = xcalloc(1, sizeof *names);
    names->symbolizer = symbolizer;
    return names;
}

void dumper_names_free(struct dumper_names *names)
{
    if (!names)
        return;
    fetcher_free(names->fetcher);
    map_fini(&names->known);
    free(names->wanted);
    free(names);
}

// Returns a key for a place in the code. If two places share a key, the second one is fetched when
// its name is looked up.
static uint64_t key_of(uint32_t mapping, uint64_t offset)
{
    return (uint64_t)mapping << 48 ^ offset;
}

void dumper_names_want(struct dumper_names *names, uint32_t mapping, uint64_t offset)
{
    uint64_t key = key_of(mapping, offset);
    if (map_get(&names->known, key, 0))
        return;
    map_put(&names->known, key, 1);
    ARRAY_RESERVE(names->wanted, names->count, names->capacity);
    names->wanted[names->count++] = (struct code_place){mapping, offset};
}

static void hand_over(struct dumper_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        symbolizer_want(names->symbolizer, names->wanted[i].mapping, names->wanted[i].offset);
    names->count = 0;
}

// Starts the fetcher when it is first needed. That is after the first census was forked: the child
// of a process with threads may have locks that are never released.
static bool has_fetcher(struct dumper_names *names)
{
    struct err err;
    if (!names->fetcher && fetcher_new(names->symbolizer, &names->fetcher, &err) != RC_OK)
        names->fetcher = NULL; // all names are fetched at the end then
    return names->fetcher;
}

void dumper_names_go_on(struct dumper_names *names)
{
    if (names->fetching)
        names->fetching = !fetcher_wait(names->fetcher, 0);
    if (names->fetching || !names->count || !has_fetcher(names))
        return;
    hand_over(names);
    names->fetching = true;
    fetcher_start(names->fetcher);
}

void dumper_name(struct dumper *dumper)
{
    struct dumper_names *names = dumper->code.names;
    while (names->fetching)
        names->fetching = !fetcher_wait(names->fetcher, WAIT_MS);
    hand_over(names);
    symbolizer_fetch(dumper->code.symbolizer);
    for (size_t i = 0; i < dumper->count; i++) {
        struct dump_thread *thread = &dumper->seen[i].thread;
        for (size_t k = 0; k < thread->frame_count; k++)
            thread->frames[k].symbol = symbolizer_lookup(
                dumper->code.symbolizer, thread->frames[k].mapping, thread->frames[k].offset);
    }
}
