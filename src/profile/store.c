// SPDX-License-Identifier: MIT
#include "profile/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "profile/slices.h"

#define NONE UINT32_MAX

const char *const profile_state_names[] = {
    [STATE_CPU] = "cpu",
    [STATE_RUNNING] = "running",
    [STATE_QUEUED] = "runnable",
    [STATE_BLOCKED] = "blocked",
    [STATE_DELAYED] = "delayed",
    [STATE_HOLDING] = "holding",
};

enum profile_state profile_state_named(const char *name)
{
    for (enum profile_state state = STATE_RUNNING; state <= STATE_BLOCKED; state++)
        if (strcmp(name, profile_state_names[state]) == 0)
            return state;
    return STATE_CPU;
}

struct located {
    struct location location;
    uint32_t next; // another location with the same key, or NONE
};

struct profile {
    struct located *locations;
    size_t location_count, location_capacity;
    struct map location_ids; // location_key -> the newest location with that key

    struct stack_node *nodes;
    size_t node_count, node_capacity, max_nodes;
    struct map node_ids; // parent << 32 | location -> node
    uint64_t folded;

    struct profile_thread *threads;
    size_t thread_count, thread_capacity;

    struct profile_value *values;
    size_t value_count, value_capacity;
    struct map wait_ids;  // wait << 32 | thread -> waiter
    struct map whose_ids; // waiter << 32 | state -> whose
    struct map value_ids; // stack << 32 | whose -> value

    struct profile_wait *waits;
    size_t wait_count, wait_capacity;

    struct strtab strings;
    struct slices *slices; // NULL: none are kept
};

static uint64_t pair_key(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

struct profile *profile_new(size_t max_nodes)
{
    struct profile *profile = xcalloc(1, sizeof *profile);
    profile->max_nodes = max_nodes < NONE ? max_nodes : NONE;
    strtab_init(&profile->strings);
    ARRAY_RESERVE(profile->nodes, 0, profile->node_capacity);
    profile->nodes[profile->node_count++] = (struct stack_node){.location = NONE};
    profile_wait_add(profile);
    return profile;
}

static void profile_fini(struct profile *profile)
{
    free(profile->locations);
    map_fini(&profile->location_ids);
    free(profile->nodes);
    map_fini(&profile->node_ids);
    free(profile->threads);
    free(profile->values);
    map_fini(&profile->wait_ids);
    map_fini(&profile->whose_ids);
    map_fini(&profile->value_ids);
    free(profile->waits);
    strtab_fini(&profile->strings);
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    profile_fini(profile);
    slices_free(profile->slices);
    free(profile);
}

void profile_replace(struct profile *profile, struct profile *by)
{
    struct slices *slices = profile->slices;
    profile_fini(profile);
    *profile = *by;
    profile->slices = slices;
    slices_free(by->slices);
    free(by);
}

void profile_fold(struct profile *profile, uint64_t stacks)
{
    profile->folded += stacks;
}

// Keys are distinct for all but absurd offsets. Locations that share one are chained.
static uint64_t location_key(uint32_t mapping, uint64_t offset)
{
    return (uint64_t)mapping << 48 ^ offset;
}

static bool is_full(const struct profile *profile)
{
    return profile->node_count >= profile->max_nodes;
}

uint32_t profile_location(struct profile *profile, uint32_t mapping, uint64_t offset)
{
    uint64_t key = location_key(mapping, offset);
    uint32_t newest = map_get(&profile->location_ids, key, NONE);
    for (uint32_t id = newest; id != NONE; id = profile->locations[id].next) {
        struct location known = profile->locations[id].location;
        if (known.mapping == mapping && known.offset == offset)
            return id;
    }
    // No node could hold it any more, so the bound on nodes bounds locations too.
    if (is_full(profile))
        return NONE;
    ARRAY_RESERVE(profile->locations, profile->location_count, profile->location_capacity);
    uint32_t id = (uint32_t)profile->location_count++;
    profile->locations[id] = (struct located){{mapping, offset}, newest};
    map_put(&profile->location_ids, key, id);
    return id;
}

// Returns the child of a node, which is added when it is new; NONE when there is no room for it.
static uint32_t child_of(struct profile *profile, uint32_t parent, uint32_t location)
{
    uint64_t key = pair_key(parent, location);
    uint32_t node = map_get(&profile->node_ids, key, NONE);
    if (node != NONE || is_full(profile))
        return node;
    ARRAY_RESERVE(profile->nodes, profile->node_count, profile->node_capacity);
    node = (uint32_t)profile->node_count++;
    profile->nodes[node] = (struct stack_node){parent, location};
    map_put(&profile->node_ids, key, node);
    return node;
}

uint32_t profile_stack(struct profile *profile, const uint32_t *locations, size_t count)
{
    uint32_t node = 0;
    for (size_t i = count; i-- > 0;) {
        uint32_t child = child_of(profile, node, locations[i]);
        if (child == NONE) {
            profile->folded++;
            break;
        }
        node = child;
    }
    return node;
}

uint32_t profile_child(struct profile *profile, uint32_t node, uint32_t location)
{
    uint32_t child = location == NONE ? NONE : child_of(profile, node, location);
    return child == NONE ? node : child;
}

uint32_t profile_thread_add(struct profile *profile, pid_t pid, pid_t tid, const char *comm,
                            const char *process_comm)
{
    ARRAY_RESERVE(profile->threads, profile->thread_count, profile->thread_capacity);
    profile->threads[profile->thread_count] = (struct profile_thread){
        .pid = pid,
        .tid = tid,
        .comm = strtab_add(&profile->strings, comm),
        .process_comm = strtab_add(&profile->strings, process_comm),
    };
    return (uint32_t)profile->thread_count++;
}

void profile_thread_rename(struct profile *profile, uint32_t thread, const char *comm)
{
    assert(thread < profile->thread_count);
    profile->threads[thread].comm = strtab_add(&profile->strings, comm);
}

void profile_thread_rename_process(struct profile *profile, uint32_t thread, const char *comm)
{
    assert(thread < profile->thread_count);
    profile->threads[thread].process_comm = strtab_add(&profile->strings, comm);
}

void profile_thread_held(struct profile *profile, uint32_t thread, int64_t ns)
{
    assert(thread < profile->thread_count);
    profile->threads[thread].held_ns += ns;
}

void profile_thread_end(struct profile *profile, uint32_t thread)
{
    assert(thread < profile->thread_count);
    profile->threads[thread].ended = true;
}

uint32_t profile_wait_add(struct profile *profile)
{
    ARRAY_RESERVE(profile->waits, profile->wait_count, profile->wait_capacity);
    profile->waits[profile->wait_count] = (struct profile_wait){0};
    return (uint32_t)profile->wait_count++;
}

void profile_wait_set(struct profile *profile, uint32_t wait, const char *kind, const char *object,
                      struct profile_wait facts)
{
    assert(wait && wait < profile->wait_count);
    facts.kind = strtab_add(&profile->strings, kind);
    facts.object = object ? strtab_add(&profile->strings, object) : 0;
    profile->waits[wait] = facts;
}

void profile_waits_copy(const struct profile *from, struct profile *to)
{
    while (to->wait_count < from->wait_count)
        profile_wait_add(to);
    for (uint32_t i = 1; i < from->wait_count; i++) {
        const struct profile_wait *wait = &from->waits[i];
        profile_wait_set(to, i, profile_string(from, wait->kind),
                         wait->object ? profile_string(from, wait->object) : NULL, *wait);
    }
}

const struct profile_wait *profile_wait_get(const struct profile *profile, uint32_t wait)
{
    assert(wait < profile->wait_count);
    return &profile->waits[wait];
}

uint32_t profile_value_of_wait(struct profile *profile, uint32_t stack, uint32_t thread,
                               enum profile_state state, uint32_t wait)
{
    assert(stack < profile->node_count && thread < profile->thread_count);
    assert(state < STATE_COUNT && wait < profile->wait_count);
    uint32_t waiter = map_number(&profile->wait_ids, pair_key(wait, thread));
    uint32_t whose = map_number(&profile->whose_ids, pair_key(waiter, state));
    uint32_t value = map_number(&profile->value_ids, pair_key(stack, whose));
    if (value < profile->value_count)
        return value;
    ARRAY_RESERVE(profile->values, profile->value_count, profile->value_capacity);
    profile->values[profile->value_count++] =
        (struct profile_value){.stack = stack, .thread = thread, .state = state, .wait = wait};
    return value;
}

uint32_t profile_value_at(struct profile *profile, uint32_t stack, uint32_t thread,
                          enum profile_state state)
{
    return profile_value_of_wait(profile, stack, thread, state, 0);
}

void profile_add(struct profile *profile, uint32_t value, uint64_t samples, uint64_t ns)
{
    assert(value < profile->value_count);
    profile->values[value].samples += samples;
    profile->values[value].ns += ns;
    if (!profile->slices || slices_add(profile->slices, value, samples, ns))
        return;
    struct profile_value full = profile->values[value];
    uint32_t root = profile_value_of_wait(profile, 0, full.thread, full.state, full.wait);
    slices_add_root(profile->slices, root, samples, ns);
}

void profile_keep_slices(struct profile *profile, size_t most_entries)
{
    profile->slices = slices_new(most_entries);
}

struct slices *profile_slices(struct profile *profile)
{
    return profile->slices;
}

void profile_reset(struct profile *profile)
{
    for (size_t i = 0; i < profile->value_count; i++)
        profile->values[i].samples = profile->values[i].ns = 0;
    for (size_t i = 0; i < profile->thread_count; i++)
        profile->threads[i].held_ns = 0;
    profile->folded = 0;
    if (profile->slices)
        slices_clear(profile->slices);
}

struct profile *profile_copy(const struct profile *profile)
{
    struct profile *copy = xcalloc(1, sizeof *copy);
    *copy = (struct profile){
        .locations =
            xcopy(profile->locations, profile->location_count, sizeof *profile->locations),
        .location_count = profile->location_count,
        .nodes = xcopy(profile->nodes, profile->node_count, sizeof *profile->nodes),
        .node_count = profile->node_count,
        .folded = profile->folded,
        .threads = xcopy(profile->threads, profile->thread_count, sizeof *profile->threads),
        .thread_count = profile->thread_count,
        .values = xcopy(profile->values, profile->value_count, sizeof *profile->values),
        .value_count = profile->value_count,
        .waits = xcopy(profile->waits, profile->wait_count, sizeof *profile->waits),
        .wait_count = profile->wait_count,
    };
    strtab_copy(&copy->strings, &profile->strings);
    return copy;
}

size_t profile_value_count(const struct profile *profile)
{
    return profile->value_count;
}

const struct profile_value *profile_value_get(const struct profile *profile, size_t value)
{
    assert(value < profile->value_count);
    return &profile->values[value];
}

size_t profile_thread_count(const struct profile *profile)
{
    return profile->thread_count;
}

const struct profile_thread *profile_thread_get(const struct profile *profile, uint32_t thread)
{
    assert(thread < profile->thread_count);
    return &profile->threads[thread];
}

const char *profile_string(const struct profile *profile, uint32_t id)
{
    return strtab_get(&profile->strings, id);
}

size_t profile_location_count(const struct profile *profile)
{
    return profile->location_count;
}

struct location profile_location_get(const struct profile *profile, uint32_t location)
{
    assert(location < profile->location_count);
    return profile->locations[location].location;
}

size_t profile_max_nodes(const struct profile *profile)
{
    return profile->max_nodes;
}

size_t profile_node_count(const struct profile *profile)
{
    return profile->node_count;
}

struct stack_node profile_node(const struct profile *profile, uint32_t node)
{
    assert(node < profile->node_count);
    return profile->nodes[node];
}

uint64_t profile_folded(const struct profile *profile)
{
    return profile->folded;
}
