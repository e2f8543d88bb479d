// SPDX-License-Identifier: MIT
// Records from the threads of one process to another process through shared memory: many writers,
// one reader, no locks, no system calls. Memory exists before it is needed; when it is full,
// records are dropped.
//
// All that is free is zero: the reader clears what it has taken. A writer takes the bytes of its
// record by moving `reserved`, and makes the record visible by writing its kind last. The reader
// waits at the oldest record until that has a kind.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    _Atomic uint64_t reserved, consumed; // bytes since the beginning
    uint64_t size;                       // a power of two
    unsigned char data[];
};

struct record { // every record begins so
    _Atomic uint32_t kind; // 0: not committed
    uint32_t length;       // bytes with this header
};

#define RING_KIND_PADDING UINT32_MAX // nobody's record, passed over by ring_peek

// `bytes` is the zeroed memory for header and data; the data gets the largest power of two that
// fits.
void ring_init(struct ring *ring, size_t bytes);

// Writers. Room for a record of `length` bytes in one piece, or NULL. It must be committed, which
// makes it visible, or abandoned: until then nothing behind it can be read.
struct record *ring_reserve(struct ring *ring, size_t length);
void ring_commit(struct record *record, uint32_t kind);
void ring_abandon(struct record *record);

// Writers, of what can wait. Returns whether more than half of the ring is taken.
bool ring_is_half_full(const struct ring *ring);

// The reader. The oldest record or NULL; ring_release gives its memory back.
const struct record *ring_peek(struct ring *ring);

// The reader. The record after this one, which has not been released; NULL if there is none yet.
const struct record *ring_next(struct ring *ring, const struct record *record);
void ring_release(struct ring *ring, const struct record *record);

// The reader, while no writer lives, after it has read all that ring_peek gives: a writer may have
// been ended with a record open, which is passed over then. False: there is no more to read.
bool ring_recover(struct ring *ring);
