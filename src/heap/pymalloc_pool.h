// SPDX-License-Identifier: MIT
// A pool of pymalloc: 4 or 16 KiB that are cut into blocks of one size. It says its size class
// twice (szidx, maxnextoffset) and the number of its arena, so what is not a pool is noticed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define POOL_MAX 16384u
#define POOL_HEAD 48u // bytes of struct pool_header
#define POOL_BLOCKS_MAX (POOL_MAX / 8)

struct pool {
    uint32_t size;     // of a block, bytes
    uint32_t count;    // of blocks in use; 0: the whole pool is free
    uint32_t capacity; // blocks that fit
    uint32_t carved;   // blocks that were given out at least once: the first ones
    uint32_t index;    // of its arena
    uint32_t alignment, bytes; // of pools
    uint64_t free;     // address of the first block that is free again; 0: none
};

// Finds out what the sizes of pools are from the header of one. False when it is not one.
bool pool_learn(const unsigned char *header, uint32_t *bytes, uint32_t *alignment);

// Reads the header of a pool in which bytes and alignment are set. False when it does not fit.
bool pool_parse(struct pool *pool, const unsigned char *header);

// Sets a bit for each block that is on the list of free ones; `bytes` is the pool's content of
// [address, address + POOL_HEAD + carved * size). The list may be damaged, or have moved while it
// was copied, and lead anywhere: it is followed as long as it stays inside and blocks are due on
// it. Returns how many blocks are doubtful: 0 when it has as many as are not in use.
uint32_t pool_free_blocks(const struct pool *pool, uint64_t address, const unsigned char *bytes,
                          uint8_t *bits);
