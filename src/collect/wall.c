// SPDX-License-Identifier: MIT
#include "collect/wall.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define NONE UINT32_MAX

struct seen_stack { // by looks, in one state
    uint32_t stack;
    enum profile_state state;
    uint64_t times;
};

struct subject { // a thread
    struct seen_stack *seen;
    size_t count, capacity;
    // ns that no look has taken yet. Of blocked time it may be below zero: what a thread did for
    // long without a pause, the kernel charges when it ends.
    int64_t waiting[STATE_COUNT];
    uint32_t asleep; // the stack of the newest blocked look, NONE: there was none
};

struct wall {
    struct profile *profile;
    struct map index; // thread -> index
    struct subject *subjects;
    size_t count, capacity;
    uint32_t *free_subjects; // indices to use again
    size_t free_count, free_capacity;
};

struct wall *wall_new(struct profile *profile)
{
    struct wall *wall = xcalloc(1, sizeof *wall);
    wall->profile = profile;
    return wall;
}

void wall_free(struct wall *wall)
{
    if (!wall)
        return;
    for (size_t i = 0; i < wall->count; i++)
        free(wall->subjects[i].seen);
    free(wall->subjects);
    free(wall->free_subjects);
    map_fini(&wall->index);
    free(wall);
}

static uint32_t fresh_subject(struct wall *wall)
{
    if (wall->free_count)
        return wall->free_subjects[--wall->free_count];
    ARRAY_RESERVE(wall->subjects, wall->count, wall->capacity);
    wall->subjects[wall->count] = (struct subject){.asleep = NONE};
    return (uint32_t)wall->count++;
}

static struct subject *subject_of(struct wall *wall, uint32_t thread)
{
    uint32_t index = map_get(&wall->index, thread, NONE);
    if (index == NONE) {
        index = fresh_subject(wall);
        map_put(&wall->index, thread, index);
    }
    return &wall->subjects[index];
}

static void meet(struct subject *subject, uint32_t stack, enum profile_state state,
                 uint32_t times)
{
    struct seen_stack *last = subject->count ? &subject->seen[subject->count - 1] : NULL;
    if (last && last->stack == stack && last->state == state) {
        last->times += times;
        return;
    }
    ARRAY_RESERVE(subject->seen, subject->count, subject->capacity);
    subject->seen[subject->count++] = (struct seen_stack){stack, state, times};
}

void wall_look(struct wall *wall, uint32_t thread, uint32_t stack, enum profile_state state)
{
    if (!wall)
        return;
    struct subject *subject = subject_of(wall, thread);
    meet(subject, stack, state, 1);
    if (state == STATE_BLOCKED)
        subject->asleep = stack;
}

void wall_again(struct wall *wall, uint32_t thread, uint32_t times)
{
    struct subject *subject = wall ? subject_of(wall, thread) : NULL;
    if (subject && subject->asleep != NONE)
        meet(subject, subject->asleep, STATE_BLOCKED, times);
}

static bool takes(const struct seen_stack *seen, enum profile_state state)
{
    return state == STATE_QUEUED || seen->state == state;
}

// By how often each stack was seen; what does not divide goes to the first.
static void share_state(struct wall *wall, struct subject *subject, uint32_t thread,
                        enum profile_state state)
{
    uint64_t times = 0, ns = (uint64_t)subject->waiting[state];
    for (size_t i = 0; i < subject->count; i++)
        times += takes(&subject->seen[i], state) ? subject->seen[i].times : 0;
    if (subject->waiting[state] <= 0 || !times)
        return;
    uint64_t part = ns / times, rest = ns % times;
    for (size_t i = 0; i < subject->count; i++) {
        const struct seen_stack *seen = &subject->seen[i];
        if (!takes(seen, state))
            continue;
        uint32_t value = profile_value_at(wall->profile, seen->stack, thread, state);
        profile_add(wall->profile, value, state == STATE_QUEUED ? 0 : seen->times,
                    part * seen->times + rest);
        rest = 0;
    }
    subject->waiting[state] = 0;
}

void wall_share(struct wall *wall, uint32_t thread, uint32_t profile_thread,
                struct wall_period period)
{
    if (!wall)
        return;
    struct subject *subject = subject_of(wall, thread);
    if (period.elapsed) {
        subject->waiting[STATE_RUNNING] += (int64_t)period.running;
        subject->waiting[STATE_QUEUED] += (int64_t)period.queued;
        subject->waiting[STATE_BLOCKED] +=
            (int64_t)(period.elapsed - period.running - period.queued);
    }
    for (enum profile_state state = STATE_RUNNING; state < STATE_COUNT; state++)
        share_state(wall, subject, profile_thread, state);
    subject->count = 0;
}

// Its place keeps the memory of the list.
void wall_end(struct wall *wall, uint32_t thread)
{
    uint32_t index = wall ? map_get(&wall->index, thread, NONE) : NONE;
    if (index == NONE)
        return;
    struct subject *subject = &wall->subjects[index];
    *subject = (struct subject){
        .seen = subject->seen, .capacity = subject->capacity, .asleep = NONE};
    map_remove(&wall->index, thread);
    ARRAY_RESERVE(wall->free_subjects, wall->free_count, wall->free_capacity);
    wall->free_subjects[wall->free_count++] = index;
}

void wall_reset(struct wall *wall)
{
    for (size_t i = 0; wall && i < wall->count; i++) {
        wall->subjects[i].count = 0;
        memset(wall->subjects[i].waiting, 0, sizeof wall->subjects[i].waiting);
    }
}

void wall_renumber(struct wall *wall, const uint32_t *stacks)
{
    for (size_t i = 0; wall && i < wall->count; i++) {
        struct subject *subject = &wall->subjects[i];
        for (size_t k = 0; k < subject->count; k++)
            subject->seen[k].stack = stacks[subject->seen[k].stack];
        if (subject->asleep != NONE)
            subject->asleep = stacks[subject->asleep];
    }
}
