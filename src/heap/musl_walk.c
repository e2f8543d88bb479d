// SPDX-License-Identifier: MIT
// Blocks of musl's groups. Groups with a mapping of their own are visited in ascending order, and
// those that lie in their slots with them. A slot is taken for a block when its meta says so and
// the header before the block agrees: between the two, and after a free, it does not.
#include <stdlib.h>

#include "base/mem.h"
#include "heap/musl.h"
#include "heap/word.h"

#define GROUPS_MAX (1u << 21) // that are not in others: 8 GB of the smallest ones
#define DEEPEST 8u            // groups in groups
#define NEAR (64u << 10)      // a slot up to this size is read with its neighbours
#define CACHED 64u            // pages of metas

// In the second byte of a header, above the slot's number: how many bytes are left behind the
// block; or else:
#define RESERVED_FAR 5u // that number stands at the end of the slot
#define RESERVED_GROUP 6u // a group lies in this slot
#define SHIFTED 0xe0u // the block begins later in the slot

struct group_place {
    uint64_t group, meta;
};

struct musl_walk {
    const struct musl_books *books;
    struct heap_view *view;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    struct group_place *places;
    size_t count, capacity;
    uint64_t limit; // end of the mapping that is gone through
    bool far;       // pieces are read one by one
    bool ended;     // the visitor wants no more
    unsigned char piece[BLOCK_HEAD];
    uint64_t cached[CACHED]; // addresses of pages of metas; 0: none
    unsigned char (*pages)[MUSL_AREA];
};

// Returns bytes that are valid until the next call; NULL when they are not there.
static inline const unsigned char *bytes_at(struct musl_walk *walk, uint64_t address, size_t length)
{
    const unsigned char *held = walk->far ? NULL : heap_view_held(walk->view, address, length);
    if (held || !walk->far)
        return held ? held : heap_view_window(walk->view, address, length, walk->limit);
    return address + length <= walk->limit && length <= sizeof walk->piece &&
                   heap_view_read(walk->view, address, walk->piece, length)
               ? walk->piece
               : NULL;
}

static bool remember_place(void *context, const struct musl_meta *meta)
{
    struct musl_walk *walk = context;
    if (!meta->mapped && meta->releasable)
        return true; // in a slot of another one
    ARRAY_RESERVE(walk->places, walk->count, walk->capacity);
    walk->places[walk->count++] = (struct group_place){meta->group, meta->at};
    return walk->count < GROUPS_MAX;
}

static int compare(const void *left, const void *right)
{
    const struct group_place *a = left, *b = right;
    return a->group < b->group ? -1 : a->group > b->group;
}

// Finds the meta of a group, which names the group in turn.
static bool find_meta(struct musl_walk *walk, uint64_t group, uint64_t at, struct musl_meta *meta)
{
    uint64_t area = at & ~(uint64_t)(MUSL_AREA - 1);
    size_t slot = area / MUSL_AREA % CACHED;
    if (walk->cached[slot] != area) {
        walk->cached[slot] = 0;
        if (!musl_area_read(walk->books, area, walk->pages[slot]))
            return false;
        walk->cached[slot] = area;
    }
    for (size_t low = 0, high = MUSL_METAS; low < high;) {
        size_t middle = (low + high) / 2;
        bool is = musl_meta_in(walk->pages[slot], area, middle, meta);
        if (meta->at == at)
            return is && meta->group == group;
        if (meta->at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

struct group_slot {
    uint64_t group; // address of the group
    uint64_t start, end; // what can be used in it
    size_t number;
    uint64_t block;   // where the block begins
    unsigned reserved; // what its header says of the bytes behind it
};

static bool tells_offset(const unsigned char *header, uint64_t offset)
{
    return header[0] == 0 ? quarter_at(header, 2) == offset
                          : offset > UINT16_MAX && quarter_at(header, 2) == 0;
}

// A block that does not begin with its slot is so many units behind; of that number the lower half
// is told, and which one it is its own header says.
static bool find_block(struct musl_walk *walk, struct group_slot *slot)
{
    const unsigned char *header = bytes_at(walk, slot->start - MUSL_HEADER, MUSL_HEADER);
    if (!header)
        return false;
    bool shifted = header[1] == SHIFTED;
    uint64_t step = (UINT16_MAX + 1ull) * MUSL_UNIT;
    slot->block = slot->start + (shifted ? quarter_at(header, 2) * (uint64_t)MUSL_UNIT : 0);
    for (; slot->block < slot->end; slot->block += step) {
        header = bytes_at(walk, slot->block - MUSL_HEADER, MUSL_HEADER);
        uint64_t offset = (slot->block - slot->group - MUSL_UNIT) / MUSL_UNIT;
        if (header && (header[1] & 31u) == slot->number && tells_offset(header, offset)) {
            slot->reserved = header[1] >> 5;
            return true;
        }
        if (!shifted)
            return false;
    }
    return false;
}

// Returns the bytes that the program asked for; what lies behind them is told in the header or,
// where that has no room for it, at the end of the slot.
static bool usable_bytes(struct musl_walk *walk, const struct group_slot *slot, uint64_t *usable)
{
    uint64_t room = slot->end - slot->block, reserved = slot->reserved;
    if (reserved == RESERVED_FAR) {
        const unsigned char *end = bytes_at(walk, slot->end - MUSL_HEADER, MUSL_HEADER);
        reserved = end ? half_at(end, 0) : 0;
    }
    *usable = room - reserved;
    return reserved <= room && slot->reserved <= RESERVED_FAR;
}

static void visit_block(struct musl_walk *walk, const struct group_slot *slot, uint64_t usable)
{
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    const unsigned char *bytes = have ? bytes_at(walk, slot->block, have) : NULL;
    walk->ended = !walk->visitor->visit(
        walk->visitor->context,
        &(struct block){.address = slot->block,
                        .usable = usable,
                        .taken = slot->end + MUSL_HEADER - slot->start,
                        .have = bytes ? have : 0,
                        .bytes = bytes});
}

static void walk_group(struct musl_walk *walk, const struct musl_meta *meta, unsigned depth);

static void walk_inner(struct musl_walk *walk, const struct group_slot *slot, unsigned depth)
{
    struct musl_meta meta;
    const unsigned char *head = bytes_at(walk, slot->block, MUSL_UNIT);
    if (head && depth < DEEPEST && find_meta(walk, slot->block, word_at(head, 0), &meta) &&
        !meta.mapped && musl_extent(&meta) <= slot->end + MUSL_HEADER - slot->block)
        walk_group(walk, &meta, depth + 1);
    else
        walk->quality->skipped += slot->end - slot->block;
}

// A slot whose header does not agree has just been taken or freed.
static void walk_slot(struct musl_walk *walk, struct group_slot *slot, unsigned depth)
{
    uint64_t usable;
    bool is_far = walk->far;
    if (slot->end - slot->start > NEAR)
        walk->far = true;
    else if (!is_far) // all of it is in one window
        bytes_at(walk, slot->start - MUSL_HEADER, slot->end + MUSL_HEADER - slot->start);
    if (find_block(walk, slot)) {
        if (slot->reserved == RESERVED_GROUP)
            walk_inner(walk, slot, depth);
        else if (usable_bytes(walk, slot, &usable))
            visit_block(walk, slot, usable);
        else
            walk->quality->skipped += slot->end - slot->start;
    }
    walk->far = is_far;
}

static void walk_group(struct musl_walk *walk, const struct musl_meta *meta, unsigned depth)
{
    for (uint32_t i = 0; i < meta->slots && !walk->ended; i++) {
        uint64_t start = meta->group + MUSL_UNIT + i * meta->stride;
        if (meta->free >> i & 1)
            continue;
        struct group_slot slot = {.group = meta->group, .number = i, .start = start,
                            .end = start + meta->stride - MUSL_HEADER};
        walk_slot(walk, &slot, depth);
    }
}

// Groups do not overlap, so each byte that is mapped is walked once.
static void walk_places(struct musl_walk *walk)
{
    uint64_t behind = 0; // the end of the last group
    for (size_t i = 0; i < walk->count && !walk->ended; i++) {
        const struct group_place *place = &walk->places[i];
        const struct proc_map *map = heap_target_region(walk->books->target, place->group);
        struct musl_meta meta;
        if (place->group < behind || !map || !map->readable ||
            !find_meta(walk, place->group, place->meta, &meta) ||
            musl_extent(&meta) > map->end - place->group)
            continue; // it was made or given back since the mappings were read
        walk->limit = map->end;
        behind = place->group + musl_extent(&meta);
        walk->quality->walked += musl_extent(&meta);
        walk_group(walk, &meta, 0);
    }
}

void musl_walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    const struct musl_books *books = state;
    struct musl_walk walk = {
        .books = books, .view = &books->target->view, .visitor = visitor, .quality = quality};
    walk.pages = xcalloc(CACHED, sizeof *walk.pages);
    musl_each_meta(books, remember_place, &walk);
    if (walk.count)
        qsort(walk.places, walk.count, sizeof *walk.places, compare);
    walk_places(&walk);
    free(walk.places);
    free(walk.pages);
}
