// SPDX-License-Identifier: MIT
#include "monitor/snapshot.h"

#include <stdlib.h>

const char *const overhead_names[] = {
    [OVERHEAD_OK] = "OK",
    [OVERHEAD_HIGH] = "HIGH",
    [OVERHEAD_TOO_HIGH] = "TOO HIGH",
};

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->command_line);
    moment_fini(&snapshot->moment);
    free(snapshot);
}

void snapshot_count_states(struct snapshot *snapshot)
{
    static const char order[] = "RSDTtZXI";
    snapshot->state_count = 0;
    for (size_t i = 0; order[i]; i++) {
        struct state_count *slot = &snapshot->states[snapshot->state_count];
        *slot = (struct state_count){.state = order[i]};
        for (size_t k = 0; k < snapshot->moment.thread_count; k++)
            slot->count += snapshot->moment.threads[k].state == order[i];
        snapshot->state_count += slot->count > 0;
    }
}
