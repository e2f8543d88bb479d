// SPDX-License-Identifier: MIT
#include "profile/slices.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#define RING (SLICES_KEPT + 1) // the complete ones and the one that is being filled
#define NONE UINT32_MAX

struct filled { // a slice
    struct slice_entry *entries;
    size_t count, capacity;
    uint64_t charged;
};

struct slices {
    struct filled ring[RING];
    size_t current;  // the one that is being filled
    size_t complete; // how many before it
    int64_t ends;    // when the current one is complete; 0: the clock is not known yet
    size_t most_entries;
    struct map index; // of the current slice: value -> entry
    uint64_t folded;
};

struct slices *slices_new(size_t most_entries)
{
    struct slices *slices = xcalloc(1, sizeof *slices);
    slices->most_entries = most_entries;
    return slices;
}

void slices_free(struct slices *slices)
{
    if (!slices)
        return;
    for (size_t i = 0; i < RING; i++)
        free(slices->ring[i].entries);
    map_fini(&slices->index);
    free(slices);
}

struct slices *slices_copy(const struct slices *slices)
{
    struct slices *copy = xmalloc(sizeof *copy);
    *copy = *slices;
    copy->index = (struct map){0};
    for (size_t i = 0; i < RING; i++) {
        const struct filled *from = &slices->ring[i];
        struct filled *to = &copy->ring[i];
        *to = (struct filled){.count = from->count, .capacity = from->count,
                              .charged = from->charged};
        if (!from->count)
            continue;
        to->entries = xmalloc(from->count * sizeof *to->entries);
        memcpy(to->entries, from->entries, from->count * sizeof *to->entries);
    }
    return copy;
}

// Returns NULL when there is no room for one more.
static struct slice_entry *entry_of(struct slices *slices, uint32_t value, bool always)
{
    struct filled *slice = &slices->ring[slices->current];
    uint32_t at = map_get(&slices->index, value, NONE);
    if (at == NONE) {
        if (!always && slice->count >= slices->most_entries)
            return NULL;
        ARRAY_RESERVE(slice->entries, slice->count, slice->capacity);
        at = (uint32_t)slice->count++;
        slice->entries[at] = (struct slice_entry){.value = value};
        map_put(&slices->index, value, at);
    }
    return &slice->entries[at];
}

bool slices_add(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns)
{
    struct slice_entry *entry = entry_of(slices, value, false);
    if (!entry)
        return false;
    entry->samples += (uint32_t)samples;
    entry->ns += ns;
    return true;
}

void slices_add_root(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns)
{
    struct slice_entry *entry = entry_of(slices, value, true);
    entry->samples += (uint32_t)samples;
    entry->ns += ns;
    slices->folded += samples;
}

// The memory of a slice is kept for the next one in its place, unless it was far more than usual.
static void empty(struct filled *slice)
{
    if (slice->capacity > 4 * slice->count + 64) {
        free(slice->entries);
        *slice = (struct filled){0};
    }
    slice->count = 0;
}

void slices_advance(struct slices *slices, int64_t now)
{
    if (!slices->ends)
        slices->ends = now + NS_PER_S;
    int64_t passed = now < slices->ends ? 0 : (now - slices->ends) / NS_PER_S + 1;
    slices->ends += passed * NS_PER_S;
    for (int64_t i = 0; i < passed && i < RING; i++) {
        uint64_t charged = slices->ring[slices->current].charged;
        slices->current = (slices->current + 1) % RING;
        slices->complete += slices->complete < SLICES_KEPT;
        empty(&slices->ring[slices->current]);
        slices->ring[slices->current].charged = charged;
    }
    if (passed)
        map_clear(&slices->index);
}

void slices_charge(struct slices *slices, uint64_t ns)
{
    slices->ring[slices->current].charged = ns;
}

void slices_clear(struct slices *slices)
{
    for (size_t i = 0; i < RING; i++)
        empty(&slices->ring[i]);
    slices->ring[slices->current].charged = 0;
    slices->complete = 0;
    slices->ends = 0;
    slices->folded = 0;
    map_clear(&slices->index);
}

size_t slices_count(const struct slices *slices)
{
    return slices->complete;
}

struct slice slices_get(const struct slices *slices, size_t back)
{
    const struct filled *slice = &slices->ring[(slices->current + RING - 1 - back) % RING];
    return (struct slice){slice->entries, slice->count, slice->charged};
}

int64_t slices_completed(const struct slices *slices)
{
    return slices->ends - NS_PER_S;
}

void slices_renumber(struct slices *slices, const uint32_t *values)
{
    for (size_t i = 0; i < RING; i++) {
        struct filled *slice = &slices->ring[i];
        for (size_t k = 0; k < slice->count; k++)
            slice->entries[k].value = values[slice->entries[k].value];
    }
    // Entries that became equal stay apart; only new ones must find theirs.
    struct filled *slice = &slices->ring[slices->current];
    map_clear(&slices->index);
    for (size_t k = 0; k < slice->count; k++)
        map_put(&slices->index, slice->entries[k].value, (uint32_t)k);
}

size_t slices_entry_count(const struct slices *slices)
{
    size_t count = 0;
    for (size_t i = 0; i < RING; i++)
        count += slices->ring[i].count;
    return count;
}

uint64_t slices_folded(const struct slices *slices)
{
    return slices->folded;
}
