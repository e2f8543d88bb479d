// SPDX-License-Identifier: MIT
// A heap of musl in memory of this process: a context, a page of metas, a group with a mapping that
// holds a smaller group, and a block with a mapping of its own.
#pragma once

#include "tests/fuzz/own_memory.h"

#define MUSL_SECRET 0x5ec2e75ec2e7ull
#define MUSL_BYTES (48u << 10)
#define MUSL_CONTEXT (OWN_MEMORY + 64)
#define MUSL_METAS_AT (OWN_MEMORY + 0x1000)
#define MUSL_GROUP (OWN_MEMORY + 0x2000)  // of slots of 192 bytes
#define MUSL_LARGE (OWN_MEMORY + 0x4000)
#define MUSL_STRIDE 192u
#define MUSL_META(number) (MUSL_METAS_AT + 24 + 40 * (number))
#define MUSL_SLOT(number) (MUSL_GROUP + 16 + MUSL_STRIDE * (number))
#define MUSL_INNER MUSL_SLOT(3) // a group of slots of 16 bytes

static inline void musl_put_meta(struct own_memory *own, unsigned number, uint64_t group,
                                 uint32_t freed, uint64_t bits)
{
    own_put(own, MUSL_META(number) + 16, group, 8);
    own_put(own, MUSL_META(number) + 28, freed, 4);
    own_put(own, MUSL_META(number) + 32, bits, 8);
    own_put(own, group, MUSL_META(number), 8);
}

// A block of `length` bytes that begins so many units behind the start of its slot.
static inline void musl_put_block(struct own_memory *own, uint64_t group, uint64_t slot,
                                  uint64_t stride, unsigned number, unsigned units, uint64_t length)
{
    uint64_t block = slot + 16 * units, end = slot + stride - 4, reserved = end - block - length;
    if (units) {
        own_put(own, slot - 3, 7 << 5, 1);
        own_put(own, slot - 2, units, 2);
        own_put(own, block - 4, 0, 1);
    }
    own_put(own, block - 2, (block - group - 16) / 16, 2);
    own_put(own, block - 3, number + ((reserved < 5 ? reserved : 5) << 5), 1);
    if (reserved >= 5)
        own_put(own, end - 4, reserved, 4);
}

static inline void musl_put_context(struct own_memory *own)
{
    own_put(own, MUSL_CONTEXT, MUSL_SECRET, 8);
    own_put(own, MUSL_CONTEXT + 8, 1, 4);
    own_put(own, MUSL_CONTEXT + 56, MUSL_METAS_AT, 8);
    own_put(own, MUSL_CONTEXT + 64, MUSL_METAS_AT, 8);
    own_put(own, MUSL_METAS_AT, MUSL_SECRET, 8);
    own_put(own, MUSL_METAS_AT + 16, 101, 4);
}

// 8 slots, of which 0 (100 bytes), 1 (all of it) and 2 (80 bytes, two units behind) hold blocks, 3
// the smaller group and the others none. Of the ten slots of that one 0 and 9 hold 12 bytes each.
static inline void musl_put_heap(struct own_memory *own)
{
    memset(own->bytes, 0, MUSL_BYTES);
    musl_put_context(own);
    musl_put_meta(own, 0, MUSL_GROUP, 0xf0, 7 | 1 << 5 | 10 << 6 | 2 << 12);
    musl_put_block(own, MUSL_GROUP, MUSL_SLOT(0), MUSL_STRIDE, 0, 0, 100);
    musl_put_block(own, MUSL_GROUP, MUSL_SLOT(1), MUSL_STRIDE, 1, 0, MUSL_STRIDE - 4);
    musl_put_block(own, MUSL_GROUP, MUSL_SLOT(2), MUSL_STRIDE, 2, 2, 80);
    own_put(own, MUSL_SLOT(3) - 2, MUSL_STRIDE * 3 / 16, 2);
    own_put(own, MUSL_SLOT(3) - 3, 3 + (6 << 5), 1);
    musl_put_meta(own, 1, MUSL_INNER, 0x1fe, 9 | 1 << 5);
    musl_put_block(own, MUSL_INNER, MUSL_INNER + 16, 16, 0, 0, 12);
    musl_put_block(own, MUSL_INNER, MUSL_INNER + 16 * 10, 16, 9, 0, 12);
    musl_put_meta(own, 2, MUSL_LARGE, 0, 1 << 5 | 63 << 6 | 4 << 12);
    musl_put_block(own, MUSL_LARGE, MUSL_LARGE + 16, 4 * 4096 - 16, 0, 1, 15000);
}
