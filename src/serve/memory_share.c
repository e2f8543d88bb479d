// SPDX-License-Identifier: MIT
#include "serve/memory_share.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

uint64_t memory_share_ram(void)
{
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Pages of files that nobody has used lately are given back when others need memory.
static uint64_t use_of(const struct memory_group *group)
{
    uint64_t use = group->figures[MEMORY_GROUP_USE], cache = group->figures[MEMORY_GROUP_CACHE];
    return cache != MEMORY_UNKNOWN && use != MEMORY_UNKNOWN && cache < use ? use - cache : use;
}

struct memory_share memory_share_of(const struct memory_group *group, uint64_t rss, uint64_t ram)
{
    struct memory_share share = {.of = "the machine's memory", .limit = ram};
    uint64_t used = rss;
    if (group->lowest_limit < ram) { // none is larger
        bool own = group->limit_path && group->path &&
                   strcmp(group->limit_path, group->path) == 0;
        share.limit = group->lowest_limit;
        share.of = own ? "its cgroup's limit" : "the limit of a cgroup that its own is in";
        used = own && use_of(group) != MEMORY_UNKNOWN ? use_of(group) : rss;
    }
    share.percent = used == MEMORY_UNKNOWN || !share.limit
                        ? NAN
                        : 100.0 * (double)used / (double)share.limit;
    return share;
}
