// SPDX-License-Identifier: MIT
#include "profile/idle_waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define WORK_SHARE 0.9        // of the thread's CPU time below one function: it is all of its work
#define LEAD_SHARE 0.1        // below a function that leads to the wait: it leads to work, too
#define FEW_ELSEWHERE 3       // samples
#define PARKED_NS 1000000000u // that a wait lasts on average of a thread that nobody wakes

// Stacks that go through the same functions lead to the same place. Place 0 is the root.
struct idle_place {
    uint32_t parent;
    bool interpreted; // below the loop of an interpreter
    uint64_t below;   // CPU time that the thread at hand was seen in below it, ns
    uint64_t samples; // of that
};

struct search {
    const struct idle_source *source;
    uint32_t *places;   // [node of the store]: its place
    struct idle_place *list; // [place]
    size_t count, capacity;
    struct map pools;   // place -> how many threads wait there
};

// Beginnings of the names of functions that run a program of another language.
static const char *const interpreters[] = {
    "_PyEval_Eval", "PyEval_Eval",   "Perl_runops",       "rb_vm_exec",        "vm_exec",
    "execute_ex",   "luaV_execute",  "JavaCalls::call",   "JS_CallInternal",   "Interpreter::",
    "TclNRRunCallbacks",
};

static bool interprets(const char *function)
{
    for (size_t i = 0; i < ARRAY_LENGTH(interpreters); i++)
        if (strncmp(function, interpreters[i], strlen(interpreters[i])) == 0)
            return true;
    return false;
}

static uint32_t add_place(struct search *search, uint32_t parent, const char *function)
{
    ARRAY_RESERVE(search->list, search->count, search->capacity);
    bool inside = search->count && search->list[parent].interpreted;
    search->list[search->count] =
        (struct idle_place){parent, inside || interprets(function), 0, 0};
    return (uint32_t)search->count++;
}

static uint64_t hash_of(const char *function)
{
    uint64_t key = 1;
    for (; *function; function++)
        key = map_hash(key ^ (unsigned char)*function);
    return key;
}

// Callers have lower numbers than what they call.
static void find_places(struct search *search)
{
    const struct idle_source *source = search->source;
    size_t count = profile_node_count(source->profile);
    struct map known = {0};
    search->places = xcalloc(count, sizeof *search->places);
    add_place(search, 0, "");
    for (uint32_t i = 1; i < count; i++) {
        struct stack_node node = profile_node(source->profile, i);
        uint32_t parent = search->places[node.parent];
        const char *name = source->function(source->context, node.location);
        const char *function = name ? name : "";
        uint32_t place = map_number(&known, map_hash(hash_of(function) + parent)) + 1;
        search->places[i] = place < search->count ? place : add_place(search, parent, function);
    }
    map_fini(&known);
}

// --- what a thread does ---

static void count_work(struct search *search, const struct profile_value *value, bool forget)
{
    if (value->state != STATE_CPU || !value->stack)
        return;
    for (uint32_t at = search->places[value->stack];; at = search->list[at].parent) {
        struct idle_place *place = &search->list[at];
        place->below = forget ? 0 : place->below + value->ns;
        place->samples = forget ? 0 : place->samples + value->samples;
        if (!at)
            return;
    }
}

// Returns whether the innermost function that leads both to the wait and to work leads to all work.
// What was seen at the wait itself was on its way to sleep, or woke. A sample or two beside it, as
// of a thread that has just begun, prove nothing.
static bool encloses_all_work(const struct search *search, uint32_t wait)
{
    uint64_t own = search->list[wait].below, all = search->list[0].below - own;
    uint32_t at = wait;
    while (at && (double)(search->list[at].below - own) < LEAD_SHARE * (double)all)
        at = search->list[at].parent;
    uint64_t elsewhere = search->list[0].samples - search->list[at].samples;
    return elsewhere < FEW_ELSEWHERE ||
           (double)(search->list[at].below - own) >= WORK_SHARE * (double)all;
}

static enum wait_idle kind_of(const struct search *search, const struct profile_value *value)
{
    if (value->state != STATE_DELAYED || !value->ns)
        return WAIT_IDLE_NEVER;
    return profile_wait_get(search->source->profile, value->wait)->idle;
}

static bool is_parked(const struct profile_value *value)
{
    return value->ns / (value->samples ? value->samples : 1) >= PARKED_NS;
}

static bool is_of_a_pool(const struct search *search, const struct profile_value *value)
{
    return map_get(&search->pools, search->places[value->stack], 0) > 1 || is_parked(value);
}

static bool is_idle(const struct search *search, const struct profile_value *value)
{
    enum wait_idle kind = kind_of(search, value);
    if (kind == WAIT_IDLE_NEVER || kind == WAIT_IDLE_ALWAYS)
        return kind == WAIT_IDLE_ALWAYS;
    if (search->list[search->places[value->stack]].interpreted)
        return is_parked(value);
    return (kind == WAIT_IDLE_LOOP || is_of_a_pool(search, value)) &&
           encloses_all_work(search, search->places[value->stack]);
}

// --- all values, thread by thread ---

// Returns the numbers of all values, sorted by thread.
static uint32_t *sort_by_thread(const struct profile *profile)
{
    size_t count = profile_value_count(profile);
    uint32_t *order = xcalloc(count + 1, sizeof *order);
    AUTO_FREE uint32_t *first = xcalloc(profile_thread_count(profile) + 1, sizeof *first);
    for (size_t i = 0; i < count; i++)
        first[profile_value_get(profile, i)->thread + 1]++;
    for (size_t i = 1; i < profile_thread_count(profile); i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < count; i++)
        order[first[profile_value_get(profile, i)->thread]++] = i;
    return order;
}

static void count_pools(struct search *search)
{
    const struct profile *profile = search->source->profile;
    struct map seen = {0}; // place << 32 | thread
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        if (kind_of(search, value) == WAIT_IDLE_NEVER)
            continue;
        uint32_t place = search->places[value->stack];
        size_t before = seen.count;
        map_number(&seen, (uint64_t)place << 32 | value->thread);
        if (seen.count > before)
            map_put(&search->pools, place, map_get(&search->pools, place, 0) + 1);
    }
    map_fini(&seen);
}

static void find_of_thread(struct search *search, const uint32_t *order, size_t count, bool *idle)
{
    const struct profile *profile = search->source->profile;
    for (size_t i = 0; i < count; i++)
        count_work(search, profile_value_get(profile, order[i]), false);
    for (size_t i = 0; i < count; i++)
        idle[order[i]] = is_idle(search, profile_value_get(profile, order[i]));
    for (size_t i = 0; i < count; i++)
        count_work(search, profile_value_get(profile, order[i]), true);
}

void idle_waits_find(const struct idle_source *source, bool *idle)
{
    const struct profile *profile = source->profile;
    size_t count = profile_value_count(profile);
    AUTO_FREE uint32_t *order = sort_by_thread(profile);
    struct search search = {.source = source};
    find_places(&search);
    count_pools(&search);
    for (size_t first = 0, end; first < count; first = end) {
        uint32_t thread = profile_value_get(profile, order[first])->thread;
        for (end = first; end < count && profile_value_get(profile, order[end])->thread == thread;)
            end++;
        find_of_thread(&search, order + first, end - first, idle);
    }
    map_fini(&search.pools);
    free(search.places);
    free(search.list);
}
