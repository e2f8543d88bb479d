// SPDX-License-Identifier: MIT
#include "heap/pymalloc_pool.h"

#include <string.h>

enum { // offsets in struct pool_header
    COUNT = 0,
    FREE_BLOCK = 8,
    ARENA_INDEX = 32,
    SIZE_INDEX = 36,
    NEXT_OFFSET = 40,
    MAX_NEXT_OFFSET = 44,
};

#define BLOCK_MAX 512u // bytes of the largest block

static uint32_t number(const unsigned char *bytes, size_t at)
{
    uint32_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

bool pool_learn(const unsigned char *header, uint32_t *bytes, uint32_t *alignment)
{
    uint32_t class = number(header, SIZE_INDEX), limit = number(header, MAX_NEXT_OFFSET);
    for (*alignment = 16; *alignment >= 8; *alignment /= 2) {
        if (class >= BLOCK_MAX / *alignment || limit > POOL_MAX)
            continue;
        *bytes = limit + (class + 1) * *alignment;
        if (*bytes == 4096 || *bytes == POOL_MAX)
            return true;
    }
    return false;
}

bool pool_parse(struct pool *pool, const unsigned char *header)
{
    uint32_t class = number(header, SIZE_INDEX), next = number(header, NEXT_OFFSET);
    if (class >= BLOCK_MAX / pool->alignment)
        return false;
    pool->size = (class + 1) * pool->alignment;
    pool->count = number(header, COUNT);
    pool->index = number(header, ARENA_INDEX);
    pool->capacity = (pool->bytes - POOL_HEAD) / pool->size;
    memcpy(&pool->free, header + FREE_BLOCK, sizeof pool->free);
    if (number(header, MAX_NEXT_OFFSET) != pool->bytes - pool->size || next > pool->bytes ||
        next < POOL_HEAD + pool->size || (next - POOL_HEAD) % pool->size)
        return false;
    pool->carved = (next - POOL_HEAD) / pool->size;
    return pool->count <= pool->carved;
}

uint32_t pool_free_blocks(const struct pool *pool, uint64_t address, const unsigned char *bytes,
                          uint8_t *bits)
{
    uint32_t found = 0, due = pool->carved - pool->count;
    uint64_t at = pool->free;
    memset(bits, 0, POOL_BLOCKS_MAX / 8);
    for (; at && found < due; found++) {
        uint64_t offset = at - address - POOL_HEAD, block = offset / pool->size;
        if (block >= pool->carved || offset % pool->size || bits[block / 8] >> block % 8 & 1)
            return due - found;
        bits[block / 8] |= (uint8_t)(1u << block % 8);
        memcpy(&at, bytes + POOL_HEAD + offset, sizeof at);
    }
    return due - found + (at != 0);
}
