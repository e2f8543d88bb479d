// SPDX-License-Identifier: MIT
#include "sample/ring.h"

#include <assert.h>
#include <string.h>

#define ALIGN 8u

static size_t round_up(size_t length)
{
    return (length + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct record *record_at(struct ring *ring, uint64_t position)
{
    return (struct record *)(void *)(ring->data + (position & (ring->size - 1)));
}

void ring_init(struct ring *ring, size_t bytes)
{
    size_t room = bytes - sizeof *ring;
    ring->size = 1ull << (63 - __builtin_clzll(room));
    atomic_store(&ring->reserved, 0);
    atomic_store(&ring->consumed, 0);
}

bool ring_is_half_full(const struct ring *ring)
{
    return atomic_load(&ring->reserved) - atomic_load(&ring->consumed) > ring->size / 2;
}

struct record *ring_reserve(struct ring *ring, size_t length)
{
    uint64_t reserved = atomic_load_explicit(&ring->reserved, memory_order_relaxed), skipped;
    do {
        uint64_t free_bytes =
            ring->size - (reserved - atomic_load_explicit(&ring->consumed, memory_order_acquire));
        uint64_t to_end = ring->size - (reserved & (ring->size - 1));
        skipped = to_end < round_up(length) ? to_end : 0;
        if (length > ring->size || skipped + round_up(length) > free_bytes)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&ring->reserved, &reserved,
                                                    reserved + skipped + round_up(length),
                                                    memory_order_acquire, memory_order_relaxed));
    if (skipped) {
        record_at(ring, reserved)->length = (uint32_t)skipped;
        ring_abandon(record_at(ring, reserved));
    }
    struct record *record = record_at(ring, reserved + skipped);
    record->length = (uint32_t)length;
    return record;
}

void ring_commit(struct record *record, uint32_t kind)
{
    assert(kind);
    atomic_store_explicit(&record->kind, kind, memory_order_release);
}

void ring_abandon(struct record *record)
{
    ring_commit(record, RING_KIND_PADDING);
}

// The record at a position, RING_KIND_PADDING among them, once it is visible.
static const struct record *visible_at(struct ring *ring, uint64_t position)
{
    if (position == atomic_load_explicit(&ring->reserved, memory_order_acquire))
        return NULL;
    const struct record *record = record_at(ring, position);
    return atomic_load_explicit(&record->kind, memory_order_acquire) ? record : NULL;
}

const struct record *ring_peek(struct ring *ring)
{
    const struct record *record;
    while ((record = visible_at(ring, atomic_load_explicit(&ring->consumed,
                                                           memory_order_relaxed))) &&
           record->kind == RING_KIND_PADDING)
        ring_release(ring, record);
    return record;
}

const struct record *ring_next(struct ring *ring, const struct record *record)
{
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    uint64_t at = (uint64_t)((const unsigned char *)record - ring->data);
    uint64_t position = consumed + ((at - consumed) & (ring->size - 1));
    do {
        position += round_up(record->length);
        record = visible_at(ring, position);
    } while (record && record->kind == RING_KIND_PADDING);
    return record;
}

static void take_back(struct ring *ring, uint64_t bytes)
{
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    uint64_t to_end = ring->size - (consumed & (ring->size - 1));
    uint64_t first = bytes < to_end ? bytes : to_end;
    memset(record_at(ring, consumed), 0, first);
    memset(ring->data, 0, bytes - first);
    atomic_store_explicit(&ring->consumed, consumed + bytes, memory_order_release);
}

void ring_release(struct ring *ring, const struct record *record)
{
    take_back(ring, round_up(record->length));
}

bool ring_recover(struct ring *ring)
{
    uint64_t consumed = atomic_load(&ring->consumed), reserved = atomic_load(&ring->reserved);
    if (consumed == reserved)
        return false;
    struct record *open = record_at(ring, consumed);
    if (open->kind)
        return true;
    if (open->length)
        ring_abandon(open);
    else // not even its length was written: where the next one begins nobody knows
        take_back(ring, reserved - consumed);
    return open->length;
}
