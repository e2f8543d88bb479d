// SPDX-License-Identifier: MIT
// The part of the public API that says what the memory of a process is used for.
#include <ptprof/ptprof.h>

#include <stddef.h>
#include <string.h>

#include "heap/memory_use.h"
#include "session/api_parts.h"

_Static_assert(PTPROF_UNKNOWN == MEMORY_UNKNOWN, "figures are handed on as they are");

static void take_status(struct ptprof_memory *to, const struct memory_use *use)
{
    const uint64_t *bytes = use->status.bytes;
    to->threads = use->status.threads;
    to->rss = bytes[MEMORY_RSS];
    to->peak_rss = bytes[MEMORY_PEAK_RSS];
    to->anonymous = bytes[MEMORY_ANONYMOUS];
    to->file = bytes[MEMORY_FILE];
    to->shared = bytes[MEMORY_SHARED];
    to->swap = bytes[MEMORY_SWAP];
    to->locked = bytes[MEMORY_LOCKED];
    to->hugetlb = bytes[MEMORY_HUGETLB];
    to->page_tables = bytes[MEMORY_PAGE_TABLES];
    to->mapped = bytes[MEMORY_SIZE];
    to->cgroup_use = use->group.figures[MEMORY_GROUP_USE];
    to->cgroup_limit = use->group.lowest_limit == MEMORY_NO_LIMIT ? MEMORY_UNKNOWN
                                                                  : use->group.lowest_limit;
}

static void take_mappings(struct ptprof_memory *to, const struct memory_use *use)
{
    const struct memory_sizes *kinds = use->kinds;
    to->mappings = use->all.mappings;
    to->pss = use->all.pss;
    to->huge_pages = use->all.huge;
    to->heap_resident = kinds[MAPPING_HEAP].resident;
    to->anonymous_resident = kinds[MAPPING_ANONYMOUS].resident;
    to->thread_stacks_resident = kinds[MAPPING_THREAD_STACKS].resident;
    to->thread_stacks_reserved = kinds[MAPPING_THREAD_STACKS].size;
    to->libraries_resident = kinds[MAPPING_LIBRARIES].resident;
    to->files_resident = kinds[MAPPING_FILE].resident;
    to->shared_resident = kinds[MAPPING_SHARED].resident;
    to->generated_code_resident = kinds[MAPPING_GENERATED_CODE].resident;
}

static uint64_t sum_of(const struct memory_use *use, enum figure figure)
{
    uint64_t sum = use->allocator_count ? 0 : MEMORY_UNKNOWN;
    for (size_t i = 0; i < use->allocator_count && sum != MEMORY_UNKNOWN; i++)
        sum = use->allocators[i].figures.known[figure]
                  ? sum + use->allocators[i].figures.value[figure]
                  : MEMORY_UNKNOWN;
    return sum;
}

static void take_allocators(struct ptprof_memory *to, const struct memory_use *use)
{
    to->heap_system = sum_of(use, FIGURE_SYSTEM);
    to->heap_in_use = sum_of(use, FIGURE_IN_USE);
    to->heap_free = sum_of(use, FIGURE_FREE);
    to->heap_trimmable = sum_of(use, FIGURE_TRIMMABLE);
}

static enum rc look(pid_t pid, unsigned parts, struct ptprof_memory *known, struct err *err)
{
    const struct memory_look_options options = {
        .pss = parts & PTPROF_MEMORY_PSS,
        .allocators = parts & PTPROF_MEMORY_ALLOCATORS,
    };
    struct memory_look *looks;
    struct memory_use *use = NULL;
    enum rc rc = memory_look_open(pid, &options, &looks, err);
    if (rc == RC_OK)
        rc = memory_look_take(looks, &use, err);
    if (rc == RC_OK) {
        take_status(known, use);
        take_allocators(known, use);
    }
    if (rc == RC_OK && use->mappings_why)
        rc = err_set(err, use->denied ? RC_DENIED : RC_FAIL, "%s", use->mappings_why);
    else if (rc == RC_OK)
        take_mappings(known, use);
    memory_use_free(use);
    memory_look_close(looks);
    return rc;
}

EXPORT enum ptprof_result ptprof_memory(pid_t pid, unsigned parts, struct ptprof_memory *memory,
                                        char *error, size_t error_size)
{
    struct ptprof_memory known;
    struct err err = {0};
    enum rc rc = RC_USAGE;
    memset(&known, 0xff, sizeof known); // all unknown
    if (memory->size <= offsetof(struct ptprof_memory, threads))
        err_set(&err, rc, "the size of the memory figures is not set");
    else if (pid <= 0)
        err_set(&err, rc, "no process was named");
    else
        rc = look(pid, parts, &known, &err);
    known.size = memory->size;
    memcpy(memory, &known, known.size < sizeof known ? known.size : sizeof known);
    api_say(&err, error, error_size);
    return api_result(rc);
}
