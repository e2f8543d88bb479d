// SPDX-License-Identifier: MIT
#include "sample/ring.h"

#include <assert.h>

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
    atomic_store(&ring->written, 0);
    atomic_store(&ring->consumed, 0);
}

struct record *ring_reserve(struct ring *ring, size_t length)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t free_bytes =
        ring->size - (written - atomic_load_explicit(&ring->consumed, memory_order_acquire));
    uint64_t to_end = ring->size - (written & (ring->size - 1));
    uint64_t skipped = to_end < round_up(length) ? to_end : 0;
    if (skipped + round_up(length) > free_bytes)
        return NULL;
    if (skipped)
        *record_at(ring, written) = (struct record){RING_KIND_PADDING, (uint32_t)skipped};
    ring->reserved = written + skipped;
    return record_at(ring, ring->reserved);
}

void ring_commit(struct ring *ring, struct record *record, uint32_t kind, size_t length)
{
    assert(record == record_at(ring, ring->reserved) && kind != RING_KIND_PADDING);
    record->kind = kind;
    record->length = (uint32_t)length;
    atomic_store_explicit(&ring->written, ring->reserved + round_up(length), memory_order_release);
}

const struct record *ring_peek(struct ring *ring)
{
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    if (consumed == atomic_load_explicit(&ring->written, memory_order_acquire))
        return NULL;
    const struct record *record = record_at(ring, consumed);
    if (record->kind != RING_KIND_PADDING)
        return record;
    ring_release(ring, record);
    return ring_peek(ring);
}

void ring_release(struct ring *ring, const struct record *record)
{
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    atomic_store_explicit(&ring->consumed, consumed + round_up(record->length),
                          memory_order_release);
}
