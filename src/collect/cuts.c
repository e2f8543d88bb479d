// SPDX-License-Identifier: MIT
#include "collect/cuts.h"

#include <stdlib.h>

#include "base/mem.h"

void cuts_add(struct cuts *cuts, uint32_t module, enum unwind_end why)
{
    for (size_t i = 0; i < cuts->count; i++) {
        if (cuts->list[i].module == module && cuts->list[i].why == why) {
            cuts->list[i].count++;
            return;
        }
    }
    ARRAY_RESERVE(cuts->list, cuts->count, cuts->capacity);
    cuts->list[cuts->count++] = (struct cut){module, why, 1};
}

const struct cut *cuts_worst(const struct cuts *cuts)
{
    const struct cut *worst = NULL;
    for (size_t i = 0; i < cuts->count; i++)
        if (!worst || cuts->list[i].count > worst->count)
            worst = &cuts->list[i];
    return worst;
}

void cuts_fini(struct cuts *cuts)
{
    free(cuts->list);
    *cuts = (struct cuts){0};
}
