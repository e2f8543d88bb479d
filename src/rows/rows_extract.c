// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX

struct extract {
    const struct profile *from;
    struct profile *to;
    enum profile_state running; // what CPU time is called
    uint32_t *threads;   // [thread]: its number in `to`, or NONE
    uint32_t *locations; // of the stack at hand, leaf first
    size_t capacity;
};

static uint32_t copy_thread(struct extract *extract, uint32_t thread)
{
    uint32_t *number = &extract->threads[thread];
    if (*number != NONE)
        return *number;
    const struct profile_thread *facts = profile_thread_get(extract->from, thread);
    *number = profile_thread_add(extract->to, facts->pid, facts->tid,
                                 profile_string(extract->from, facts->comm),
                                 profile_string(extract->from, facts->process_comm));
    return *number;
}

static uint32_t copy_stack(struct extract *extract, uint32_t stack)
{
    size_t count = 0;
    for (uint32_t at = stack; at; at = profile_node(extract->from, at).parent) {
        struct location location =
            profile_location_get(extract->from, profile_node(extract->from, at).location);
        ARRAY_RESERVE(extract->locations, count, extract->capacity);
        extract->locations[count++] =
            profile_location(extract->to, location.mapping, location.offset);
    }
    return count ? profile_stack(extract->to, extract->locations, count) : 0;
}

// A cost that is visited is of one state.
static enum profile_state state_of(const struct extract *extract, struct cost cost)
{
    return cost.blocked_ns ? STATE_BLOCKED : cost.queued_ns ? STATE_QUEUED : extract->running;
}

static void copy(void *context, uint32_t stack, uint32_t thread, struct cost cost)
{
    struct extract *extract = context;
    uint32_t value = profile_value_at(extract->to, copy_stack(extract, stack),
                                      copy_thread(extract, thread), state_of(extract, cost));
    profile_add(extract->to, value, cost.samples, cost_ns(cost));
}

enum rc rows_extract(const struct moment *moment, const struct rows_query *query,
                     struct profile **profile, struct err *err)
{
    struct selection *selection;
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    size_t threads = profile_thread_count(moment->profile);
    struct extract extract = {
        .from = moment->profile,
        .running = query->filter.idle ? STATE_RUNNING : STATE_CPU,
        .to = profile_new(profile_node_count(moment->profile) + 1),
        .threads = xmalloc((threads + 1) * sizeof *extract.threads),
    };
    for (size_t i = 0; i < threads; i++)
        extract.threads[i] = NONE;
    selection_each(selection, query->window, copy, &extract);
    *profile = extract.to;
    free(extract.threads);
    free(extract.locations);
    selection_free(selection);
    return RC_OK;
}
