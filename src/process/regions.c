// SPDX-License-Identifier: MIT
#include "process/regions.h"

#include <stdlib.h>

#include "base/ascending.h"
#include "base/mem.h"

enum rc regions_read(struct regions *regions, pid_t pid, pid_t tid)
{
    struct proc_map map;
    regions->count = 0;
    enum rc rc = procfs_read(&regions->text, "/proc/%d/task/%d/maps", (int)pid, (int)tid);
    if (rc != RC_OK || !regions->text.length)
        return rc == RC_OK ? RC_GONE : rc;
    for (char *cursor = regions->text.data; proc_map_parse(&cursor, &map);) {
        ARRAY_RESERVE(regions->list, regions->count, regions->capacity);
        regions->list[regions->count++] = map;
    }
    return RC_OK;
}

void regions_fini(struct regions *regions)
{
    buf_fini(&regions->text);
    free(regions->list);
    *regions = (struct regions){0};
}

const struct proc_map *regions_find(const struct regions *regions, uint64_t address)
{
    const struct proc_map *map =
        ascending_last(regions->list, regions->count, sizeof *map, address);
    return map && address < map->end ? map : NULL;
}
