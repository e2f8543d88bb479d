// SPDX-License-Identifier: MIT
#include "collect/facts.h"

#include <stdlib.h>

#include "base/mem.h"

#define FACTS_MAX 4096 // more only if more processes live at once

static size_t fresh(struct process_facts *facts)
{
    for (size_t i = 0; facts->count >= FACTS_MAX && i < facts->count; i++) {
        facts->next = facts->next % (facts->count - 1) + 1; // the first place is never used again
        if (facts->list[facts->next].ended)
            return facts->next;
    }
    ARRAY_RESERVE(facts->list, facts->count, facts->capacity);
    return facts->count++;
}

uint32_t facts_of(struct process_facts *facts, pid_t pid)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->list[i].pid == pid && !facts->list[i].ended)
            return (uint32_t)i;
    size_t at = fresh(facts);
    facts->list[at] = (struct run_process){.pid = pid};
    return (uint32_t)at;
}

void facts_fini(struct process_facts *facts)
{
    free(facts->list);
    *facts = (struct process_facts){0};
}
