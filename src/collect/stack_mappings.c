// SPDX-License-Identifier: MIT
#include "collect/stack_mappings.h"

#include "base/clock.h"

#define READING_SHARE 20 // reading maps takes at most one part in so many of our time

void stack_mappings_fini(struct stack_mappings *mappings)
{
    regions_fini(&mappings->regions);
    *mappings = (struct stack_mappings){0};
}

static void read_again(struct stack_mappings *mappings, pid_t pid, pid_t tid)
{
    int64_t began = clock_now();
    if (began - mappings->read_at < mappings->cost * READING_SHARE)
        return;
    if (regions_read(&mappings->regions, pid, tid) != RC_OK)
        mappings->regions.count = 0;
    mappings->read_at = clock_now();
    mappings->cost = mappings->read_at - began;
}

bool stack_mappings_find(struct stack_mappings *mappings, pid_t pid, pid_t tid, uint64_t sp,
                         uint64_t *start, uint64_t *end)
{
    const struct proc_map *map = regions_find(&mappings->regions, sp);
    if (!map) {
        read_again(mappings, pid, tid);
        map = regions_find(&mappings->regions, sp);
    }
    if (!map || map->shared || !map->readable)
        return false;
    *start = map->start;
    *end = map->end;
    return true;
}
