// SPDX-License-Identifier: MIT
#include "profile/idle_waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define WORK_SHARE 0.9        // of the thread's CPU time below one function: it is all of its work
#define LEAD_SHARE 0.1        // below a function that leads to the wait: it leads to work, too
#define PARKED_NS 1000000000u // that a wait lasts on average of a thread that nobody wakes

struct call_path { // functions of a stack, from the root on
    const char **list;
    size_t count, capacity;
};

struct search {
    const struct query_source *source;
    struct call_path wait, work;
    uint64_t *below; // [function of `wait`]: CPU time that was seen below it, beside the wait
    size_t below_capacity;
    struct map pools; // hash of the functions of a wait -> how many threads wait there
};

// Functions are known by their names, which the symbolizer has once each.
static const char *function_of(const struct query_source *source, uint32_t node)
{
    struct location at =
        profile_location_get(source->profile, profile_node(source->profile, node).location);
    const struct symbol *symbol = symbolizer_lookup(source->symbolizer, at.mapping, at.offset);
    return symbol->lines[symbol->line_count - 1].name;
}

static void find_path(const struct query_source *source, uint32_t stack, struct call_path *path)
{
    path->count = 0;
    for (uint32_t at = stack; at; at = profile_node(source->profile, at).parent) {
        ARRAY_RESERVE(path->list, path->count, path->capacity);
        path->list[path->count++] = function_of(source, at);
    }
    for (size_t i = 0; i < path->count / 2; i++) {
        const char *swap = path->list[i];
        path->list[i] = path->list[path->count - 1 - i];
        path->list[path->count - 1 - i] = swap;
    }
}

static size_t common(const struct call_path *a, const struct call_path *b)
{
    size_t count = 0;
    while (count < a->count && count < b->count && strcmp(a->list[count], b->list[count]) == 0)
        count++;
    return count;
}

// Returns whether the innermost function that leads both to the wait and to work leads to all work.
static bool encloses_all_work(struct search *search, uint32_t first, uint32_t end,
                              const uint32_t *order)
{
    const struct profile *profile = search->source->profile;
    size_t depth = search->wait.count;
    uint64_t all = 0;
    for (; search->below_capacity < depth + 1;)
        ARRAY_RESERVE(search->below, search->below_capacity, search->below_capacity);
    memset(search->below, 0, (depth + 1) * sizeof *search->below);
    for (uint32_t i = first; i < end; i++) {
        const struct profile_value *value = profile_value_get(profile, order[i]);
        if (value->state != STATE_CPU || !value->stack)
            continue;
        find_path(search->source, value->stack, &search->work);
        size_t shared = common(&search->wait, &search->work);
        if (shared == depth) // it went to sleep, or woke
            continue;
        all += value->ns;
        for (size_t at = 0; at <= shared; at++)
            search->below[at] += value->ns;
    }
    while (depth && (double)search->below[depth] < LEAD_SHARE * (double)all)
        depth--;
    return !all || (double)search->below[depth] >= WORK_SHARE * (double)all;
}

static uint64_t place_of(const struct call_path *path)
{
    uint64_t key = 1;
    for (size_t i = 0; i < path->count; i++)
        for (const char *at = path->list[i]; *at; at++)
            key = map_hash(key ^ (unsigned char)*at);
    return key;
}

static bool may_be_idle(const struct query_source *source, const struct profile_value *value)
{
    return value->state == STATE_DELAYED && value->ns &&
           profile_wait_get(source->profile, value->wait)->idle != IDLE_NEVER;
}

static bool is_of_a_pool(struct search *search, const struct profile_value *value)
{
    bool parked = value->ns / (value->samples ? value->samples : 1) >= PARKED_NS;
    return parked || map_get(&search->pools, place_of(&search->wait), 0) > 1;
}

static bool is_idle(struct search *search, const struct profile_value *value, uint32_t first,
                    uint32_t end, const uint32_t *order)
{
    enum profile_idle idle = profile_wait_get(search->source->profile, value->wait)->idle;
    find_path(search->source, value->stack, &search->wait);
    return idle == IDLE_ALWAYS || ((idle == IDLE_LOOP || is_of_a_pool(search, value)) &&
                                   encloses_all_work(search, first, end, order));
}

// --- all values, thread by thread ---

// Returns the numbers of all values in the order of their threads, those of a thread from
// (*firsts)[thread] on.
static uint32_t *by_thread(const struct profile *profile, uint32_t **firsts)
{
    size_t count = profile_value_count(profile), threads = profile_thread_count(profile);
    uint32_t *order = xcalloc(count + 1, sizeof *order);
    AUTO_FREE uint32_t *next = xcalloc(threads + 2, sizeof *next);
    for (size_t i = 0; i < count; i++)
        next[profile_value_get(profile, i)->thread + 1]++;
    for (size_t i = 0; i < threads; i++)
        next[i + 1] += next[i];
    *firsts = xcopy(next, threads + 1, sizeof *next);
    for (uint32_t i = 0; i < count; i++)
        order[next[profile_value_get(profile, i)->thread]++] = i;
    return order;
}

static void count_pools(struct search *search, const uint32_t *order, uint32_t count)
{
    struct map seen = {0}; // hash of place and thread
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_value *value = profile_value_get(search->source->profile, order[i]);
        if (!may_be_idle(search->source, value))
            continue;
        find_path(search->source, value->stack, &search->wait);
        uint64_t place = place_of(&search->wait);
        size_t before = seen.count;
        map_number(&seen, map_hash(place) ^ value->thread);
        if (seen.count > before)
            map_put(&search->pools, place, map_get(&search->pools, place, 0) + 1);
    }
    map_fini(&seen);
}

void idle_waits_find(const struct query_source *source, bool *idle)
{
    const struct profile *profile = source->profile;
    struct search search = {.source = source};
    AUTO_FREE uint32_t *firsts = NULL;
    AUTO_FREE uint32_t *order = by_thread(profile, &firsts);
    count_pools(&search, order, (uint32_t)profile_value_count(profile));
    for (uint32_t thread = 0; thread < profile_thread_count(profile); thread++)
        for (uint32_t i = firsts[thread]; i < firsts[thread + 1]; i++) {
            const struct profile_value *value = profile_value_get(profile, order[i]);
            idle[order[i]] = may_be_idle(source, value) &&
                             is_idle(&search, value, firsts[thread], firsts[thread + 1], order);
        }
    map_fini(&search.pools);
    free(search.wait.list);
    free(search.work.list);
    free(search.below);
}
