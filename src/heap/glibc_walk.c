// SPDX-License-Identifier: MIT
// Chunks, one after the other, while the program goes on. What is there all the time is where it
// was whenever it is looked at; where blocks come and go, the next header may have become something
// else by the time it is read. It is read again, and if it still makes no sense, the walk goes on
// where several chunks in a row do.
#include <string.h>

#include "heap/glibc.h"

#define CHAIN 6u           // chunks in a row that are believed
#define FENCE 16u          // size of the marks at the end of a piece
#define FAR_READS 100000u  // headers outside of the window that chains lead to, in a piece
#define GROWS_MAX 64u      // times that the top is followed
#define PAGE 4096u
#define FEW_PIECES 32u     // that links may lead from one to the other
#define OVERLAP 8192u      // bytes of a window that the next one begins with, at least

struct chunk_walk {
    struct glibc_books *books;
    struct heap_view *view;
    const struct glibc_piece *piece;
    struct glibc_caches *caches;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    uint64_t at, end;
    uint64_t behind; // of the last header that may be looked at
    uint64_t top;
    uint64_t anchor, next_anchor; // chunks that were passed; the first is some way behind
    uint64_t renewed;             // where the window was last read anew
    unsigned far_reads, grown;
    bool going;
    unsigned char copy[BLOCK_HEAD];
};

static bool is_size(const struct chunk_walk *walk, uint64_t word)
{
    uint64_t size = word & ~(uint64_t)CHUNK_FLAGS;
    return size >= CHUNK_LEAST && size % 16 == 0 && !(word & CHUNK_MAPPED) &&
           (walk->piece->arena || !(word & CHUNK_OTHER_ARENA));
}

static bool far_header(struct chunk_walk *walk, uint64_t at, uint64_t head[2])
{
    const void *held = heap_view_held(walk->view, at, CHUNK_HEAD);
    if (held)
        memcpy(head, held, CHUNK_HEAD);
    return held || (++walk->far_reads < FAR_READS &&
                    heap_view_read(walk->view, at, head, CHUNK_HEAD));
}

// A free chunk's size stands behind it too; one that is in use in another arena than the main one
// says so.
static bool agree(const struct chunk_walk *walk, const uint64_t head[2], const uint64_t behind[2])
{
    if (!(behind[1] & CHUNK_PREV_IN_USE))
        return behind[0] == (head[1] & ~(uint64_t)CHUNK_FLAGS);
    return !walk->piece->arena || head[1] & CHUNK_OTHER_ARENA;
}

static bool is_chain(struct chunk_walk *walk, uint64_t at)
{
    uint64_t head[2], behind[2];
    if (!far_header(walk, at, head) || !is_size(walk, head[1]))
        return false;
    for (unsigned n = 0; n < CHAIN; n++) {
        uint64_t size = head[1] & ~(uint64_t)CHUNK_FLAGS;
        if (size > walk->end - at)
            return false;
        at += size;
        if (at == walk->end || at == walk->top)
            return true;
        if (!far_header(walk, at, behind) || !agree(walk, head, behind))
            return false;
        if ((behind[1] & ~(uint64_t)CHUNK_FLAGS) == FENCE)
            return true;
        if (!is_size(walk, behind[1]))
            return false;
        memcpy(head, behind, sizeof head);
    }
    return true;
}

// Returns where chunks go on from `from` on: at most the end of the piece.
static uint64_t search(struct chunk_walk *walk, uint64_t from)
{
    heap_view_forget(walk->view);
    for (uint64_t at = from; at < walk->end; at += 16) {
        if (heap_view_window(walk->view, at, CHUNK_HEAD, walk->behind)) {
            if (at == walk->top || is_chain(walk, at))
                return at;
            continue;
        }
        at = heap_view_next_present(walk->view, at, walk->end);
        if (walk->view->gone || at >= walk->end)
            return walk->end;
        if (!heap_view_window(walk->view, at, CHUNK_HEAD, walk->behind))
            at = (at | (PAGE - 1)) + 1;
        at = (at & ~15ull) - 16; // it is looked at in the next turn
    }
    return walk->end;
}

// The first look may be at a moment at which a chunk was being made, and miss a good one before it.
static void pick_up(struct chunk_walk *walk, uint64_t from)
{
    uint64_t at = search(walk, from);
    if (at > from) {
        uint64_t again = search(walk, from);
        at = again < at ? again : at;
    }
    walk->quality->resyncs++;
    walk->quality->skipped += at - from;
    walk->at = at;
}

static bool is_in_arena(const struct chunk_walk *walk, uint64_t address)
{
    const struct glibc_books *books = walk->books;
    if (address - walk->piece->start < walk->end - walk->piece->start)
        return true;
    for (size_t i = 0; books->piece_count < FEW_PIECES && i < books->piece_count; i++) {
        const struct glibc_piece *piece = &books->pieces[i];
        if (piece->arena == walk->piece->arena &&
            address - piece->start < piece->end - piece->start)
            return true;
    }
    return false;
}

// Since glibc 2.32 links are mixed with their places, and tell themselves from what programs store.
static bool has_fast_link(const struct chunk_walk *walk, uint64_t size, const unsigned char *bytes,
                          size_t have)
{
    if (size > FAST_MOST || have < 8 || !glibc_mixes_links(walk->books))
        return false;
    uint64_t next = glibc_word(bytes, 0) ^ (walk->at + CHUNK_HEAD) >> 12;
    return !(next % 16) && (!next || is_in_arena(walk, next)) &&
           glibc_is_in_fast_bin(walk->books, walk->piece->arena, walk->at, size, next);
}

static void visit(struct chunk_walk *walk, uint64_t size, const unsigned char *bytes, size_t have)
{
    struct glibc_sums *sums = &walk->books->sums;
    uint64_t block = walk->at + CHUNK_HEAD, usable = size - 8;
    if (walk->caches) {
        if (glibc_is_cached(walk->caches, walk->at, bytes, have) ||
            has_fast_link(walk, size, bytes, have)) {
            sums->cached += size;
            return;
        }
        if (glibc_is_thread_cache(walk->books, block, usable)) {
            sums->metadata += size;
            return;
        }
        sums->blocks++;
        sums->bytes += size;
    }
    walk->going = walk->visitor->visit(walk->visitor->context,
                                           &(struct block){.address = block,
                                                           .usable = usable,
                                                           .taken = size,
                                                           .arena = walk->piece->arena,
                                                           .have = have,
                                                           .bytes = bytes});
}

// Returns how many of a block's first bytes the window holds.
static size_t held(const struct heap_view *view, uint64_t address, size_t wanted)
{
    uint64_t left = view->end - address;
    size_t have = left < wanted ? (size_t)left : wanted;
    if (heap_view_held(view, address, have))
        return have;
    have = PAGE - address % PAGE;
    return have < wanted && heap_view_held(view, address, have) ? have : 0;
}

// Returns the header behind the chunk. When the window has to move for it, the block's first bytes
// are copied before.
static const unsigned char *header_behind(struct chunk_walk *walk, uint64_t next,
                                          const unsigned char **bytes, size_t have)
{
    const void *behind = heap_view_held(walk->view, next, CHUNK_HEAD);
    if (behind)
        return behind;
    memcpy(walk->copy, *bytes, have);
    *bytes = walk->copy;
    return heap_view_window(walk->view, next, CHUNK_HEAD, walk->behind);
}

// The chunk at walk->at is as large as it says, and another one lies behind it.
static void take(struct chunk_walk *walk, const unsigned char *head, uint64_t size)
{
    uint64_t next = walk->at + size;
    uint64_t own[2] = {glibc_word(head, 0), glibc_word(head, 8)};
    const unsigned char *bytes = head + CHUNK_HEAD;
    size_t wanted = size - 8 < BLOCK_HEAD ? size - 8 : BLOCK_HEAD;
    size_t have = held(walk->view, walk->at + CHUNK_HEAD, wanted);
    const unsigned char *behind = header_behind(walk, next, &bytes, have);
    if (!behind) {
        walk->quality->skipped += size;
        walk->at = next;
        return;
    }
    uint64_t other[2] = {glibc_word(behind, 0), glibc_word(behind, 8)};
    if (walk->piece->heap && other[1] == CHUNK_PREV_IN_USE && !(own[1] & CHUNK_OTHER_ARENA)) {
        walk->at = walk->end; // what was left of a full heap has been made its end mark
        return;
    }
    if (!agree(walk, own, other)) {
        walk->quality->skipped += size;
        pick_up(walk, next);
        return;
    }
    if (other[1] & CHUNK_PREV_IN_USE) {
        if (have < wanted && // the window ended in it
            heap_view_read(walk->view, walk->at + CHUNK_HEAD, walk->copy, wanted)) {
            bytes = walk->copy;
            have = wanted;
        }
        visit(walk, size, bytes, have);
    }
    walk->at = next;
}

// A block with a mapping of its own may lie among the mappings of the main arena.
static bool is_mapped_between(uint64_t at, const unsigned char *head, uint64_t left)
{
    uint64_t word = glibc_word(head, 8), size = word & ~(uint64_t)CHUNK_FLAGS;
    return (word & CHUNK_FLAGS) == CHUNK_MAPPED && !(at % PAGE) && !glibc_word(head, 0) && size &&
           !(size % PAGE) && size <= left;
}

// Takes chunks as long as the window holds them and the header behind, and nothing is odd: that is
// where the time of a census goes.
static void walk_held(struct chunk_walk *walk)
{
    const struct heap_view *view = walk->view;
    const uint64_t start = view->start;
    uint64_t last = (view->end < walk->behind ? view->end : walk->behind) - CHUNK_HEAD;
    if (view->holes || view->end <= start + CHUNK_HEAD)
        return;
    while (walk->going && walk->at >= start && walk->at < last && view->start == start) {
        const unsigned char *chunk = view->bytes + (walk->at - start);
        uint64_t word = glibc_word(chunk, 8), size = word & ~(uint64_t)CHUNK_FLAGS;
        if (!is_size(walk, word) || size > last - walk->at || walk->at == walk->top)
            return;
        uint64_t behind = glibc_word(chunk + size, 8);
        if (behind & CHUNK_PREV_IN_USE) {
            if (walk->piece->arena && !(word & CHUNK_OTHER_ARENA))
                return;
            size_t have = size - 8 < BLOCK_HEAD ? size - 8 : BLOCK_HEAD;
            visit(walk, size, chunk + CHUNK_HEAD, have);
        } else if (glibc_word(chunk + size, 0) != size) {
            return;
        }
        if (walk->at - walk->next_anchor >= OVERLAP) {
            walk->anchor = walk->next_anchor;
            walk->next_anchor = walk->at;
        }
        walk->at += size;
    }
}

static void walk_chunk(struct chunk_walk *walk)
{
    const unsigned char *head =
        heap_view_window(walk->view, walk->at, CHUNK_HEAD, walk->behind);
    uint64_t left = walk->end - walk->at;
    uint64_t word = head ? glibc_word(head, 8) : 0, size = word & ~(uint64_t)CHUNK_FLAGS;
    if (head && (walk->at == walk->top || is_mapped_between(walk->at, head, left)) &&
        size <= left && size)
        walk->at += size;
    else if (head && size == FENCE)
        walk->at += left < 2 * FENCE || walk->piece->heap ? left : 2 * FENCE;
    else if (!head || !is_size(walk, word) || size > left)
        pick_up(walk, walk->at);
    else if (size == left && !walk->piece->grows)
        walk->at = walk->end; // its neighbour, which would tell, is not there
    else
        take(walk, head, size);
}

// Returns where chunks that begin at `at` lead to, at or behind `to`; 0 when they lead nowhere.
static uint64_t follow(const struct chunk_walk *walk, uint64_t at, uint64_t to)
{
    while (at < to) {
        uint64_t head[2], behind[2];
        if (!heap_view_peek(walk->view, at, head, sizeof head) || !is_size(walk, head[1]))
            return 0;
        uint64_t size = head[1] & ~(uint64_t)CHUNK_FLAGS;
        if (size > walk->end - at)
            return 0;
        if (heap_view_peek(walk->view, at + size, behind, sizeof behind) &&
            !agree(walk, head, behind))
            return 0;
        at += size;
    }
    return at;
}

// Where the window ends, time has passed since it was read, and a chunk that began there may have
// become the inside of another one, with its old header still in it. So the next window begins some
// way before, and what its chunks lead to is where the walk goes on.
static void renew(struct chunk_walk *walk)
{
    uint64_t at = walk->at, from = walk->anchor;
    walk->renewed = at;
    if (from >= at || at - from > 4 * OVERLAP)
        return;
    heap_view_forget(walk->view);
    heap_view_window(walk->view, from, CHUNK_HEAD, walk->behind);
    uint64_t found = follow(walk, from, at);
    walk->anchor = walk->next_anchor = walk->at;
    if (!found)
        pick_up(walk, at);
    else
        walk->at = found;
    walk->quality->resyncs += found > at;
}

// Returns whether the chunk goes on behind the window, which is not the last one.
static bool leaves_window(const struct chunk_walk *walk)
{
    const struct heap_view *view = walk->view;
    const unsigned char *head = heap_view_held(view, walk->at, CHUNK_HEAD);
    uint64_t size = head ? glibc_word(head, 8) & ~(uint64_t)CHUNK_FLAGS : 0;
    return view->end < walk->behind && walk->at >= view->start &&
           (!head || size > view->end - walk->at - CHUNK_HEAD);
}

static void walk_some(struct chunk_walk *walk)
{
    walk_held(walk);
    if (!walk->going || walk->at >= walk->end)
        return;
    if (walk->renewed != walk->at && leaves_window(walk))
        renew(walk);
    else
        walk_chunk(walk);
}

// Returns whether the top has moved up since the piece was looked up; it may have come down below
// where the walk is, which is then at its end too.
static bool grow(struct chunk_walk *walk)
{
    struct glibc_arena arena;
    if (!walk->piece->grows || walk->grown++ >= GROWS_MAX ||
        !glibc_arena_read(walk->books, walk->books->arenas[walk->piece->arena].address,
                          &arena) ||
        arena.top <= walk->end || arena.top - walk->end > walk->piece->room)
        return false;
    walk->end = walk->top = arena.top;
    walk->behind = walk->end + CHUNK_HEAD;
    heap_view_forget(walk->view);
    return true;
}

bool glibc_walk_piece(struct glibc_books *books, const struct glibc_piece *piece,
                      struct glibc_caches *caches, const struct block_visitor *visitor,
                      struct walk_quality *quality)
{
    struct chunk_walk walk = {
        .books = books,
        .view = &books->target->view,
        .piece = piece,
        .caches = caches,
        .visitor = visitor,
        .quality = quality,
        .at = piece->start,
        .anchor = piece->start,
        .next_anchor = piece->start,
        .end = piece->end,
        .behind = piece->end + (piece->grows ? CHUNK_HEAD : 0),
        .top = books->arenas[piece->arena].top,
        .going = true,
    };
    heap_view_forget(walk.view);
    do
        while (walk.at < walk.end && walk.going && !walk.view->gone)
            walk_some(&walk);
    while (walk.going && !walk.view->gone && walk.at == walk.end && grow(&walk));
    quality->walked += (walk.at < walk.end ? walk.at : walk.end) - piece->start;
    return walk.going && !walk.view->gone;
}

bool glibc_is_chain(struct glibc_books *books, const struct glibc_piece *piece, uint64_t at)
{
    struct chunk_walk walk = {.books = books,
                            .view = &books->target->view,
                            .piece = piece,
                            .end = piece->end,
                            .top = books->arenas[piece->arena].top};
    return is_chain(&walk, at);
}
