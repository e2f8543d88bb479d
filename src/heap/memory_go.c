// SPDX-License-Identifier: MIT
// Go's MemStats of a process that need not be Go: what has the same meaning under the same name.
#include <stddef.h>
#include <string.h>

#include "heap/memory_print.h"

// Go's runtime counts what is its own only, and C's heap beside it belongs to none of its figures.
static const struct memory_allocator *of_go(const struct memory_use *use)
{
    for (size_t i = 0; i < use->allocator_count; i++)
        if (strcmp(use->allocators[i].name, allocator_go.name) == 0)
            return &use->allocators[i];
    return NULL;
}

static uint64_t sum_of(const struct memory_use *use, enum figure figure, const char **why)
{
    const struct memory_allocator *go = of_go(use);
    const struct memory_allocator *first = go ? go : use->allocators;
    size_t count = go ? 1 : use->allocator_count;
    uint64_t sum = 0;
    *why = "no allocator's books could be read";
    if (!count)
        return MEMORY_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        const struct heap_figures *figures = &first[i].figures;
        *why = figures->why[figure] ? figures->why[figure]
                                    : "the books of one of the allocators do not say it";
        if (!figures->known[figure])
            return MEMORY_UNKNOWN;
        sum += figures->value[figure];
    }
    return sum;
}

static uint64_t heap_alloc(const struct memory_use *use, const char **why)
{
    return sum_of(use, FIGURE_IN_USE, why);
}

static uint64_t heap_sys(const struct memory_use *use, const char **why)
{
    return sum_of(use, FIGURE_SYSTEM, why);
}

// Only of a heap whose size counts what was given back, that is idle too.
static uint64_t heap_released(const struct memory_use *use, const char **why)
{
    uint64_t released = sum_of(use, FIGURE_RELEASED, why);
    if (!of_go(use))
        *why = "the kernel does not tell pages that were given back from new ones";
    return released;
}

static uint64_t heap_idle(const struct memory_use *use, const char **why)
{
    uint64_t released = heap_released(use, why), trimmable = sum_of(use, FIGURE_TRIMMABLE, why);
    if (trimmable == MEMORY_UNKNOWN || released == MEMORY_UNKNOWN)
        return trimmable;
    return trimmable + released;
}

static uint64_t heap_inuse(const struct memory_use *use, const char **why)
{
    uint64_t idle = heap_idle(use, why);
    uint64_t all = idle == MEMORY_UNKNOWN ? idle : heap_sys(use, why);
    return all == MEMORY_UNKNOWN ? all : all > idle ? all - idle : 0;
}

static uint64_t heap_objects(const struct memory_use *use, const char **why)
{
    return sum_of(use, FIGURE_IN_USE_BLOCKS, why);
}

static uint64_t other_sys(const struct memory_use *use, const char **why)
{
    return sum_of(use, FIGURE_METADATA, why);
}

static uint64_t sys(const struct memory_use *use, const char **why)
{
    if (of_go(use))
        return sum_of(use, FIGURE_TOTAL, why);
    *why = "this kernel does not say it";
    return use->status.bytes[MEMORY_DATA];
}

static uint64_t of_stacks(const struct memory_use *use, size_t offset, const char **why)
{
    struct memory_sizes sum = {0};
    memory_sizes_add(&sum, &use->kinds[MAPPING_THREAD_STACKS]);
    memory_sizes_add(&sum, &use->kinds[MAPPING_MAIN_STACK]);
    *why = use->mappings_why ? use->mappings_why : use->resident_why;
    return use->mappings_why ? MEMORY_UNKNOWN : *(uint64_t *)((char *)&sum + offset);
}

static uint64_t stack_inuse(const struct memory_use *use, const char **why)
{
    return of_stacks(use, offsetof(struct memory_sizes, resident), why);
}

static uint64_t stack_sys(const struct memory_use *use, const char **why)
{
    return of_stacks(use, offsetof(struct memory_sizes, size), why);
}

static const char past[] = "allocators keep no count of the past";
static const char collector[] = "only a garbage collector has it, whose books are not read";

const struct memory_go_row memory_go_rows[] = {
    {"Alloc", heap_alloc, NULL},
    {"TotalAlloc", NULL, past},
    {"Sys", sys, NULL},
    {"Mallocs", NULL, past},
    {"Frees", NULL, past},
    {"HeapAlloc", heap_alloc, NULL},
    {"HeapSys", heap_sys, NULL},
    {"HeapIdle", heap_idle, NULL},
    {"HeapInuse", heap_inuse, NULL},
    {"HeapReleased", heap_released, NULL},
    {"HeapObjects", heap_objects, NULL},
    {"StackInuse", stack_inuse, NULL},
    {"StackSys", stack_sys, NULL},
    {"OtherSys", other_sys, NULL},
    {"NextGC", NULL, collector},
    {"LastGC", NULL, collector},
    {"PauseTotalNs", NULL, collector},
    {"NumGC", NULL, collector},
    {NULL, NULL, NULL},
};

double memory_fragmentation(const struct heap_figures *figures)
{
    if (!figures->known[FIGURE_SYSTEM] || !figures->known[FIGURE_FREE] ||
        !figures->known[FIGURE_TRIMMABLE] || !figures->value[FIGURE_SYSTEM])
        return -1;
    uint64_t free = figures->value[FIGURE_FREE], back = figures->value[FIGURE_TRIMMABLE];
    uint64_t has = figures->value[FIGURE_SYSTEM];
    if (figures->known[FIGURE_RELEASED])
        has -= figures->value[FIGURE_RELEASED];
    return free > back && has ? 100.0 * (double)(free - back) / (double)has : 0;
}
