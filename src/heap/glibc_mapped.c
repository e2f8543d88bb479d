// SPDX-License-Identifier: MIT
// Large blocks have mappings of their own, and nothing lists them: mp_ says how many there are. The
// kernel makes one mapping of several that lie beside each other, so that one may begin within.
#include <string.h>

#include "base/mem.h"
#include "heap/glibc.h"

#define PAGE 4096u
#define HEADS 512u // pages whose beginnings are read at once
#define HEAD_BYTES 64u

struct mapped_walk {
    struct glibc_books *books;
    const struct block_visitor *visitor;
    struct glibc_sums *sums;
    bool going;
};

static bool has_heap(const struct glibc_books *books, uint64_t address)
{
    for (size_t i = 0; i < books->piece_count; i++) {
        const struct glibc_piece *piece = &books->pieces[i];
        uint64_t start = piece->heap ? piece->heap : piece->start;
        if (address >= start && address < piece->end + PAGE)
            return true;
    }
    return false;
}

// The bytes before the header stand in it: blocks may be aligned. Returns the size of the mapping;
// 0 when there is no such header at the offset.
static uint64_t mapping_size(const unsigned char *head, uint64_t offset, uint64_t left)
{
    uint64_t before = glibc_word(head, 0), word = glibc_word(head, 8);
    uint64_t size = word & ~(uint64_t)CHUNK_FLAGS;
    return before == offset && (word & CHUNK_FLAGS) == CHUNK_MAPPED && size >= CHUNK_LEAST &&
                   size <= left && (size + before) % PAGE == 0 && size + before <= left
               ? size + before
               : 0;
}

// Visits the block whose mapping begins at `at`; returns the bytes of the mapping, 0 for none.
static uint64_t try_block(struct mapped_walk *walk, uint64_t at, uint64_t end)
{
    unsigned char page[PAGE];
    uint64_t size = 0, offset = 0;
    struct heap_view *view = &walk->books->target->view;
    if (!heap_view_read(view, at, page, sizeof page))
        return 0;
    for (uint64_t align = 16; align <= PAGE && !size; align *= 2) {
        offset = align - CHUNK_HEAD;
        size = mapping_size(page + offset, offset, end - at);
    }
    if (!size)
        return 0;
    walk->sums->mapped_blocks++;
    walk->sums->mapped_bytes += size;
    size_t have = PAGE - (size_t)offset - CHUNK_HEAD;
    walk->going = walk->visitor->visit(
        walk->visitor->context,
        &(struct block){.address = at + offset + CHUNK_HEAD,
                        .usable = size - offset - CHUNK_HEAD,
                        .taken = size,
                        .have = have < BLOCK_HEAD ? have : BLOCK_HEAD,
                        .bytes = page + offset + CHUNK_HEAD});
    return size;
}

static bool is_candidate(const struct proc_map *map)
{
    return map->readable && map->writable && !map->shared &&
           (!map->path[0] || strncmp(map->path, "/anon_hugepage", 14) == 0);
}

// Returns where blocks one behind the other end that begin at `at`.
static uint64_t visit_row(struct mapped_walk *walk, uint64_t at, uint64_t end)
{
    while (walk->going && at < end && !has_heap(walk->books, at)) {
        uint64_t size = try_block(walk, at, end);
        if (!size)
            break;
        at += size;
    }
    return at;
}

static bool is_enough(const struct mapped_walk *walk)
{
    return !walk->going || walk->sums->mapped_blocks >= walk->books->parameters.mapped_blocks;
}

static bool begins_a_block(const unsigned char *head, uint64_t left)
{
    for (uint64_t offset = 0; offset + CHUNK_HEAD <= HEAD_BYTES; offset += 16)
        if (mapping_size(head + offset, offset, left))
            return true;
    return false;
}

// Returns where to look on: behind blocks that begin at the page, or behind the page.
static uint64_t pass_blocks(struct mapped_walk *walk, uint64_t page, uint64_t end)
{
    uint64_t behind = visit_row(walk, page, end);
    return behind > page ? behind : page + PAGE;
}

// Looks at each page that is there for the beginning of a block.
static void search(struct mapped_walk *walk, uint64_t at, uint64_t end)
{
    unsigned char heads[HEADS][HEAD_BYTES];
    bool there[HEADS];
    while (at < end && !is_enough(walk)) {
        size_t count = (end - at) / PAGE < HEADS ? (size_t)((end - at) / PAGE) : HEADS;
        if (!count || !heap_view_page_heads(&walk->books->target->view, at, count, HEAD_BYTES,
                                            heads[0], there))
            return;
        uint64_t next = at;
        for (size_t i = 0; i < count && next == at + i * PAGE; i++)
            next = there[i] && begins_a_block(heads[i], end - next)
                       ? pass_blocks(walk, next, end)
                       : next + PAGE;
        at = next;
    }
}

// First where mappings begin, which is where most blocks are; then anywhere, until there are as
// many as mp_ says.
bool glibc_walk_mapped(struct glibc_books *books, const struct block_visitor *visitor,
                       struct walk_quality *quality)
{
    const struct regions *regions = &books->target->regions;
    struct mapped_walk walk = {books, visitor, &books->sums, true};
    AUTO_FREE uint64_t *ends = xcalloc(regions->count + 1, sizeof *ends);
    for (size_t i = 0; i < regions->count && walk.going; i++)
        if (is_candidate(&regions->list[i]))
            ends[i] = visit_row(&walk, regions->list[i].start, regions->list[i].end);
    for (size_t i = 0; i < regions->count && !is_enough(&walk); i++)
        if (is_candidate(&regions->list[i]))
            search(&walk, ends[i], regions->list[i].end);
    quality->walked += books->sums.mapped_bytes;
    return walk.going;
}
