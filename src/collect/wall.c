// SPDX-License-Identifier: MIT
#include "collect/wall.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void wall_fini(struct wall *wall)
{
    free(wall->seen);
    *wall = (struct wall){0};
}

static struct seen_stack *add_look(struct wall *wall, struct seen_stack look)
{
    struct seen_stack *last = wall->count ? &wall->seen[wall->count - 1] : NULL;
    if (!last || last->stack != look.stack || last->state != look.state ||
        last->wait != look.wait) {
        ARRAY_RESERVE(wall->seen, wall->count, wall->capacity);
        last = &wall->seen[wall->count++];
        *last = (struct seen_stack){look.stack, look.state, look.wait, 0, 0, 0};
    }
    last->times += look.times;
    last->waits += look.waits;
    return last;
}

void wall_look(struct wall *wall, uint32_t stack, enum profile_state state)
{
    if (state == STATE_BLOCKED)
        wall_wait(wall, stack, 0);
    else
        add_look(wall, (struct seen_stack){stack, state, 0, 0, 0, 1});
}

static void look_asleep(struct wall *wall, uint32_t stack, uint32_t wait, uint32_t waits)
{
    add_look(wall, (struct seen_stack){stack, STATE_BLOCKED, wait, waits, 0, 1});
    wall->has_slept = true;
    wall->met_again = false;
    wall->asleep = stack;
    wall->wait = wait;
}

void wall_wait(struct wall *wall, uint32_t stack, uint32_t wait)
{
    look_asleep(wall, stack, wait, 1);
}

void wall_same_wait(struct wall *wall, uint32_t stack, uint32_t wait)
{
    look_asleep(wall, stack, wait, !wall->has_slept);
}

void wall_again(struct wall *wall, uint32_t times)
{
    if (!wall->has_slept)
        return;
    struct seen_stack *seen =
        add_look(wall, (struct seen_stack){wall->asleep, STATE_BLOCKED, wall->wait, 0, 0, times});
    seen->longs += !wall->met_again;
    wall->met_again = true;
}

static bool takes(const struct seen_stack *seen, enum profile_state state)
{
    return state == STATE_QUEUED || seen->state == state;
}

// Shares the time of a state by how often each stack was seen; the remainder goes to the first.
static void share_state(struct wall *wall, struct profile *profile, uint32_t thread,
                        enum profile_state state, const struct wall_sink *sink)
{
    uint64_t times = 0, ns = (uint64_t)wall->waiting[state];
    for (size_t i = 0; i < wall->count; i++)
        times += takes(&wall->seen[i], state) ? wall->seen[i].times : 0;
    if (wall->waiting[state] <= 0 || !times)
        return;
    uint64_t part = ns / times, rest = ns % times;
    for (size_t i = 0; i < wall->count; i++) {
        const struct seen_stack *seen = &wall->seen[i];
        if (!takes(seen, state))
            continue;
        profile_add(profile, profile_value_at(profile, seen->stack, thread, state),
                    state == STATE_QUEUED ? 0 : seen->times, part * seen->times + rest);
        if (state == STATE_BLOCKED && seen->wait && sink)
            sink->blocked(sink->context, seen, part * seen->times + rest);
        rest = 0;
    }
    wall->waiting[state] = 0;
}

void wall_share(struct wall *wall, struct profile *profile, uint32_t profile_thread,
                struct wall_period period, const struct wall_sink *sink)
{
    if (period.elapsed) {
        wall->waiting[STATE_RUNNING] += (int64_t)period.running;
        wall->waiting[STATE_QUEUED] += (int64_t)period.queued;
        wall->waiting[STATE_BLOCKED] += (int64_t)(period.elapsed - period.running - period.queued);
    }
    for (enum profile_state state = STATE_RUNNING; state <= STATE_BLOCKED; state++)
        share_state(wall, profile, profile_thread, state, sink);
    wall->count = 0;
}

void wall_reset(struct wall *wall)
{
    wall->count = 0;
    memset(wall->waiting, 0, sizeof wall->waiting);
}

void wall_renumber(struct wall *wall, const uint32_t *stacks)
{
    for (size_t i = 0; i < wall->count; i++)
        wall->seen[i].stack = stacks[wall->seen[i].stack];
    if (wall->has_slept)
        wall->asleep = stacks[wall->asleep];
}
