// SPDX-License-Identifier: MIT
// glibc's books in hostile memory, which is our own: a heap made by hand, some words of which the
// input overwrites. Its first byte says which release made it; then come pieces of ten bytes, where
// a word goes and what it is: itself, or with an odd place an address within the heap.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/fixture_glibc.h"

#define PATCH 10u
#define PATCHES_MAX 64u
#define BLOCKS_MAX 65536u // more would be counted twice

struct met {
    unsigned blocks, sum;
};

static bool meet(void *context, const struct block *block)
{
    struct met *met = context;
    if (block->have > block->usable || block->taken < block->usable || ++met->blocks > BLOCKS_MAX)
        abort();
    for (size_t i = 0; i < block->have; i++)
        met->sum += block->bytes[i];
    return true;
}

static void overwrite(struct made_glibc *made, const uint8_t *patch)
{
    unsigned char *const parts[] = {made->data, made->heap, made->other, made->mapped};
    uint64_t place = patch[0] | (uint64_t)patch[1] << 8, word;
    unsigned char *part = parts[place >> 1 & 3];
    uint64_t at = (place >> 3) % (MADE_PIECE / 8) * 8;
    memcpy(&word, patch + 2, sizeof word);
    if (place & 1)
        word = made_at(parts[word & 3]) + (word >> 2) % MADE_PIECE;
    made_put(part + at, word);
}

static void look(struct made_glibc *made)
{
    struct met met = {0};
    char version[64];
    struct walk_quality quality = {0};
    struct heap_figures figures = {0};
    AUTO_BUF struct buf why = {0};
    void *books = allocator_glibc.find(&made->target, &why);
    if (!books)
        return;
    allocator_glibc.count(books, &figures);
    allocator_glibc.walk(books, &(struct block_visitor){&met, meet}, &quality);
    allocator_glibc.count(books, &figures);
    allocator_glibc.version(books, version, sizeof version);
    if (quality.walked > 8 * MADE_PIECE || quality.skipped > 8 * MADE_PIECE)
        abort();
    allocator_glibc.free(books);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct made_glibc made;
    if (!length)
        return 0;
    if (!made.data)
        made_glibc_open(&made, MADE_2_36);
    made.release = bytes[0] % 3;
    made_fill(&made);
    for (size_t i = 0; i < PATCHES_MAX && 1 + (i + 1) * PATCH <= length; i++)
        overwrite(&made, bytes + 1 + i * PATCH);
    look(&made);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
    // The size of a block, a link of a fast bin, the ring, the top, a cache, and nothing.
    static const uint16_t places[] = {0x2b0, 0x330, 0xc70, 0x460, 0x98, 0};
    if (number >= 3 * ARRAY_LENGTH(places))
        return false;
    uint16_t place = places[number / 3];
    unsigned part = number / 3 == 2 || number / 3 == 3 ? 0 : 1;
    buf_putc(out, (char)(number % 3));
    if (!place)
        return true;
    place = (uint16_t)(place / 8 << 3 | part << 1 | (number & 1));
    buf_append(out, (const char *)&place, sizeof place);
    for (unsigned i = 0; i < 8; i++)
        buf_putc(out, (char)(i ? 0 : 0x51));
    return true;
}
