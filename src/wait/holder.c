// SPDX-License-Identifier: MIT
#include "wait/holder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RANK_NONE UINT64_MAX
#define RANK_CONDITION (UINT64_C(1) << 32) // added for a thread that waits for a condition

struct candidate {
    uint64_t rank; // lower is better
    size_t latest; // the last thread that was counted
    size_t count;  // how many threads that do not wait for a condition have the address
    struct holder holder;
};

struct holders {
    struct map by_address; // address -> index
    struct candidate *candidates;
    size_t count, capacity;
    uint64_t lowest, highest; // range of the addresses
};

static void add_address(struct holders *holders, uint64_t address)
{
    if (!address || map_get(&holders->by_address, address, UINT32_MAX) != UINT32_MAX)
        return;
    map_put(&holders->by_address, address, (uint32_t)holders->count);
    ARRAY_RESERVE(holders->candidates, holders->count, holders->capacity);
    holders->candidates[holders->count++] =
        (struct candidate){RANK_NONE, WAIT_NOBODY, 0, {WAIT_NOBODY, WAIT_NOBODY, 0}};
    holders->lowest = address < holders->lowest ? address : holders->lowest;
    holders->highest = address > holders->highest ? address : holders->highest;
}

// Returns the last frame that begins at or below the address. The stack pointers of the frames
// ascend; some frames have none.
static size_t frame_at(const struct wait_thread *thread, uint64_t address)
{
    size_t found = WAIT_NOBODY;
    for (size_t i = 0; i < thread->frame_count && thread->frames[i].sp <= address; i++)
        if (thread->frames[i].sp)
            found = i;
    return found;
}

static void consider(struct holders *holders, const struct finder *finder, size_t index,
                     uint64_t value, uint64_t place)
{
    uint32_t known = map_get(&holders->by_address, value, UINT32_MAX);
    const struct lock *own = &finder->locks[index];
    if (known == UINT32_MAX || own->scanned == value)
        return;
    struct candidate *candidate = &holders->candidates[known];
    size_t frame = frame_at(&finder->process->threads[index], place);
    uint64_t rank = frame == WAIT_NOBODY ? RANK_CONDITION - 1 : frame;
    rank += own->kind == WAIT_CONDITION ? RANK_CONDITION : 0;
    candidate->count += candidate->latest != index && own->kind != WAIT_CONDITION;
    candidate->latest = index;
    if (rank < candidate->rank)
        candidate->holder = (struct holder){index, frame, 0};
    else if (rank == candidate->rank && candidate->holder.thread != index)
        candidate->holder = (struct holder){WAIT_NOBODY, WAIT_NOBODY, 0};
    candidate->rank = rank < candidate->rank ? rank : candidate->rank;
}

static void scan(struct holders *holders, const struct finder *finder, size_t index)
{
    const struct wait_thread *thread = &finder->process->threads[index];
    uint64_t start = thread->stack_address ? thread->stack_address
                     : thread->running     ? 0
                                           : thread->call.sp;
    if (!thread->stack || !start)
        return;
    for (size_t at = -start % 8; at + 8 <= thread->stack_length; at += 8) {
        uint64_t value;
        memcpy(&value, (const char *)thread->stack + at, sizeof value);
        if (value >= holders->lowest && value <= holders->highest)
            consider(holders, finder, index, value, start + at);
    }
}

struct holders *holders_new(const struct finder *finder)
{
    struct holders *holders = xcalloc(1, sizeof *holders);
    holders->lowest = UINT64_MAX;
    for (size_t i = 0; i < finder->process->count; i++)
        add_address(holders, finder->locks[i].scanned);
    for (size_t i = 0; holders->count && i < finder->process->count; i++)
        scan(holders, finder, i);
    return holders;
}

void holders_free(struct holders *holders)
{
    if (!holders)
        return;
    map_fini(&holders->by_address);
    free(holders->candidates);
    free(holders);
}

struct holder holders_get(const struct holders *holders, uint64_t address)
{
    uint32_t known = map_get(&holders->by_address, address, UINT32_MAX);
    if (!address || known == UINT32_MAX)
        return (struct holder){WAIT_NOBODY, WAIT_NOBODY, 0};
    struct holder holder = holders->candidates[known].holder;
    size_t count = holders->candidates[known].count;
    holder.rivals = count ? count - 1 : 0;
    return holder;
}
