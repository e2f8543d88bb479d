// SPDX-License-Identifier: MIT
#include "profile/compact.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "profile/slices.h"

#define RECENT_WEIGHT 16u // of a sample that the windows still show
#define NONE UINT32_MAX

static size_t count_ended(const struct profile *profile)
{
    size_t count = 0;
    for (uint32_t i = 0; i < profile_thread_count(profile); i++)
        count += profile_thread_get(profile, i)->ended;
    return count;
}

bool compact_is_due(const struct profile *profile, const struct compact_bounds *bounds)
{
    // Threads are counted only when there are enough of them.
    return profile_node_count(profile) >= bounds->nodes ||
           profile_value_count(profile) >= bounds->values ||
           (profile_thread_count(profile) >= bounds->ended &&
            count_ended(profile) >= bounds->ended);
}

// --- threads ---

struct merging {
    const struct profile *from;
    struct profile *to;
    size_t most;       // groups
    struct map groups; // hash of the names -> thread in `to`
};

static uint64_t names_key(const char *comm, const char *process_comm)
{
    uint64_t key = 1;
    for (; *comm; comm++)
        key = map_hash(key ^ (unsigned char)*comm);
    key = map_hash(key ^ 256);
    for (; *process_comm; process_comm++)
        key = map_hash(key ^ (unsigned char)*process_comm);
    return key;
}

static uint32_t group_of(struct merging *merging, const struct profile_thread *thread)
{
    const char *comm = profile_string(merging->from, thread->comm);
    const char *process_comm = profile_string(merging->from, thread->process_comm);
    uint64_t key = names_key(comm, process_comm);
    uint32_t group = map_get(&merging->groups, key, NONE);
    if (group == NONE && merging->groups.count >= merging->most) {
        comm = "[ended]";
        process_comm = "";
        key = names_key(comm, process_comm);
        group = map_get(&merging->groups, key, NONE);
    }
    if (group == NONE) {
        group = profile_thread_add(merging->to, thread->pid, 0, comm, process_comm);
        profile_thread_end(merging->to, group);
        map_put(&merging->groups, key, group);
    }
    return group;
}

// Entries of our own, such as [unattributed], have no tid and count as threads that live.
static void merge_threads(const struct profile *from, struct profile *to, size_t most,
                          uint32_t *threads)
{
    struct merging merging = {.from = from, .to = to, .most = most};
    for (uint32_t i = 0; i < profile_thread_count(from); i++) {
        const struct profile_thread *thread = profile_thread_get(from, i);
        if (thread->ended)
            threads[i] = group_of(&merging, thread);
        else
            threads[i] = profile_thread_add(to, thread->pid, thread->tid,
                                            profile_string(from, thread->comm),
                                            profile_string(from, thread->process_comm));
        profile_thread_held(to, threads[i], thread->held_ns);
    }
    map_fini(&merging.groups);
}

// --- stacks ---

static void weigh_slices(struct profile *profile, uint64_t *weights)
{
    const struct slices *slices = profile_slices(profile);
    for (size_t back = 0; slices && back < slices_count(slices); back++) {
        struct slice slice = slices_get(slices, back);
        for (size_t i = 0; i < slice.count; i++)
            weights[profile_value_get(profile, slice.entries[i].value)->stack] +=
                RECENT_WEIGHT * slice.entries[i].samples;
    }
}

// The weight of a node is the samples at and below it, of which recent ones weigh more.
static uint64_t *weigh(struct profile *profile)
{
    uint64_t *weights = xcalloc(profile_node_count(profile), sizeof *weights);
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        weights[value->stack] += value->samples ? value->samples : value->ns > 0;
    }
    weigh_slices(profile, weights);
    for (uint32_t i = (uint32_t)profile_node_count(profile); i-- > 1;)
        weights[profile_node(profile, i).parent] += weights[i];
    return weights;
}

// Returns the least weight that a node must have to stay, so that at most `most` nodes do.
static uint64_t choose_least(const uint64_t *weights, size_t count, size_t most)
{
    for (uint64_t least = 1;; least *= 2) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++)
            kept += weights[i] >= least;
        if (kept <= most || least > UINT64_MAX / 4)
            return least;
    }
}

// Callers have lower numbers than what they call, and weigh no less.
static void copy_stacks(const struct profile *from, struct profile *to, const uint64_t *weights,
                        uint64_t least, uint32_t *stacks)
{
    stacks[0] = 0;
    for (uint32_t i = 1; i < profile_node_count(from); i++) {
        struct stack_node node = profile_node(from, i);
        stacks[i] = stacks[node.parent];
        if (weights[i] < least)
            continue;
        struct location location = profile_location_get(from, node.location);
        stacks[i] = profile_child(to, stacks[i],
                                  profile_location(to, location.mapping, location.offset));
    }
}

static void copy_values(const struct profile *from, struct profile *to, const uint64_t *weights,
                        uint64_t least, const struct compact_numbers *numbers)
{
    for (uint32_t i = 0; i < profile_value_count(from); i++) {
        const struct profile_value *value = profile_value_get(from, i);
        uint32_t stack = numbers->stacks[value->stack];
        uint32_t thread = numbers->threads[value->thread];
        numbers->values[i] =
            profile_value_of_wait(to, stack, thread, value->state, value->wait);
        profile_add(to, numbers->values[i], value->samples, value->ns);
        if (value->stack && weights[value->stack] < least)
            profile_fold(to, value->samples);
    }
}

// --- all of it ---

static uint32_t *new_numbers(size_t count)
{
    return xcalloc(count + 1, sizeof(uint32_t));
}

static void pass(struct profile *profile, size_t most_nodes, size_t most_ended,
                 struct compact_numbers *numbers)
{
    struct profile *fresh = profile_new(profile_max_nodes(profile));
    size_t nodes = profile_node_count(profile);
    AUTO_FREE uint64_t *weights = weigh(profile);
    uint64_t least = most_nodes == SIZE_MAX ? 0 : choose_least(weights, nodes, most_nodes);
    *numbers = (struct compact_numbers){
        .stacks = new_numbers(nodes),
        .threads = new_numbers(profile_thread_count(profile)),
        .values = new_numbers(profile_value_count(profile)),
    };
    profile_waits_copy(profile, fresh);
    merge_threads(profile, fresh, most_ended, numbers->threads);
    copy_stacks(profile, fresh, weights, least, numbers->stacks);
    copy_values(profile, fresh, weights, least, numbers);
    profile_fold(fresh, profile_folded(profile));
    if (profile_slices(profile))
        slices_renumber(profile_slices(profile), numbers->values);
    profile_replace(profile, fresh);
}

static void follow(uint32_t *numbers, size_t count, const uint32_t *next)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = next[numbers[i]];
}

void compact(struct profile *profile, const struct compact_bounds *bounds,
             struct compact_numbers *numbers)
{
    size_t stacks = profile_node_count(profile), threads = profile_thread_count(profile);
    size_t values = profile_value_count(profile);
    size_t most = bounds->nodes == SIZE_MAX ? SIZE_MAX : bounds->nodes / 2;
    pass(profile, most, bounds->ended / 2, numbers);
    // When many threads have stacks of their own, only shorter stacks make fewer values.
    for (most = profile_node_count(profile) / 2;
         most && profile_value_count(profile) > bounds->values / 2; most /= 2) {
        struct compact_numbers next;
        pass(profile, most, bounds->ended / 2, &next);
        follow(numbers->stacks, stacks, next.stacks);
        follow(numbers->threads, threads, next.threads);
        follow(numbers->values, values, next.values);
        compact_numbers_fini(&next);
    }
}

void compact_numbers_fini(struct compact_numbers *numbers)
{
    free(numbers->stacks);
    free(numbers->threads);
    free(numbers->values);
    *numbers = (struct compact_numbers){0};
}
