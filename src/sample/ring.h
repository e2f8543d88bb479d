// SPDX-License-Identifier: MIT
// Records from one process to another through shared memory: one writer, one reader, no locks, no
// system calls. Memory exists before it is needed; when it is full, records are dropped.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    _Atomic uint64_t written, consumed; // bytes since the beginning
    uint64_t size;                      // a power of two
    uint64_t reserved;                  // the writer's: where the reserved record begins
    unsigned char data[];
};

struct record { // every record begins so
    uint32_t kind;
    uint32_t length; // bytes with this header
};

#define RING_KIND_PADDING 0 // the rest of the ring, passed over by ring_peek

// `bytes` is the memory for header and data; the data gets the largest power of two that fits.
void ring_init(struct ring *ring, size_t bytes);

// Writer. Room for a record of at most `length` bytes in one piece, or NULL; at most one is open
// at a time, and forgotten unless committed. ring_commit makes its first `length` bytes visible.
struct record *ring_reserve(struct ring *ring, size_t length);
void ring_commit(struct ring *ring, struct record *record, uint32_t kind, size_t length);

// Reader. The oldest record or NULL; ring_release gives its memory back.
const struct record *ring_peek(struct ring *ring);
void ring_release(struct ring *ring, const struct record *record);
