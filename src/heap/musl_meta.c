// SPDX-License-Identifier: MIT
// What describes musl's groups of blocks.
#include <string.h>

#include "base/mem.h"
#include "heap/musl.h"
#include "heap/word.h"

#define AREA_NEXT 8u   // of a page of metas
#define AREA_SLOTS 16u // how many metas it has
#define AREA_HEAD 24u  // bytes before the first one
#define META 40u       // bytes of a meta
#define PAGE 4096u

// In a meta.
#define GROUP 16u
#define AVAILABLE 24u // a bit for each slot that can be given out
#define FREED 28u     // a bit for each that was freed, or has never been made ready
#define BITS 32u      // last slot: 5, releasable: 1, size class: 6, pages of its mapping: the rest

static const uint16_t size_classes[] = { // units
    1,   2,   3,   4,   5,   6,   7,    8,    9,    10,   12,   15,   18,   20,   25,   31,
    36,  42,  50,  63,  72,  84,  102,  127,  146,  170,  204,  255,  292,  340,  409,  511,
    584, 682, 818, 1023, 1169, 1364, 1637, 2047, 2340, 2730, 3276, 4095, 4680, 5460, 6552, 8191,
};

uint64_t musl_extent(const struct musl_meta *meta)
{
    return meta->mapped ? meta->mapped : MUSL_UNIT + meta->stride * meta->slots;
}

bool musl_area_read(const struct musl_books *books, uint64_t area, unsigned char *bytes)
{
    return area && area % MUSL_AREA == 0 &&
           heap_view_read(&books->target->view, area, bytes, MUSL_AREA) &&
           word_at(bytes, 0) == books->secret && half_at(bytes, AREA_SLOTS) <= MUSL_METAS;
}

// A group of one slot that has a mapping uses all of it.
static bool give_size(struct musl_meta *meta, unsigned size_class)
{
    meta->single = size_class == MUSL_SINGLE;
    if (meta->slots == 1 && meta->mapped) {
        meta->stride = meta->mapped - MUSL_UNIT;
        return true;
    }
    if (size_class >= ARRAY_LENGTH(size_classes))
        return false;
    meta->stride = (uint64_t)size_classes[size_class] * MUSL_UNIT;
    return !meta->mapped || MUSL_UNIT + meta->stride * meta->slots <= meta->mapped;
}

bool musl_meta_in(const unsigned char *bytes, uint64_t area, size_t number,
                  struct musl_meta *meta)
{
    const unsigned char *here = bytes + AREA_HEAD + number * META;
    if (number >= MUSL_METAS)
        return false;
    uint64_t bits = word_at(here, BITS);
    *meta = (struct musl_meta){
        .at = area + AREA_HEAD + number * META,
        .group = word_at(here, GROUP),
        .free = half_at(here, AVAILABLE) | half_at(here, FREED),
        .slots = (bits & 31) + 1,
        .releasable = bits >> 5 & 1,
        .mapped = (bits >> 12) * PAGE,
    };
    return meta->group && meta->group % MUSL_UNIT == 0 && bits >> 12 < 1ull << 36 &&
           give_size(meta, bits >> 6 & 63);
}

static bool visit_area(const unsigned char *bytes, uint64_t area,
                       bool (*visit)(void *context, const struct musl_meta *meta), void *context)
{
    struct musl_meta meta;
    for (size_t i = 0; i < half_at(bytes, AREA_SLOTS); i++)
        if (musl_meta_in(bytes, area, i, &meta) && !visit(context, &meta))
            return false;
    return true;
}

// A list that leads back to itself ends when it meets the area that is remembered, which is a later
// one after each doubling of what was seen.
void musl_each_meta(const struct musl_books *books,
                    bool (*visit)(void *context, const struct musl_meta *meta), void *context)
{
    unsigned char bytes[MUSL_AREA];
    uint64_t remembered = 0, seen = 0;
    for (uint64_t area = books->areas; area != remembered && musl_area_read(books, area, bytes);
         area = word_at(bytes, AREA_NEXT)) {
        if (!visit_area(bytes, area, visit, context))
            return;
        if ((seen & (seen - 1)) == 0)
            remembered = area;
        seen++;
    }
}

struct musl_sums { // over all groups
    uint64_t system, used, used_blocks, idle, mapped, mapped_blocks, whole, metadata;
    uint64_t area; // of the last meta
};

static void add_mapped(struct musl_sums *sums, const struct musl_meta *meta, bool used)
{
    sums->system += meta->mapped;
    if (!used)
        sums->whole += meta->mapped;
    else if (meta->slots == 1) {
        sums->mapped += meta->mapped;
        sums->mapped_blocks++;
    }
}

// A group that lies in a slot of another one takes that slot, which is no block of the program.
static bool add_meta(void *context, const struct musl_meta *meta)
{
    struct musl_sums *sums = context;
    uint64_t all = (2ull << (meta->slots - 1)) - 1;
    unsigned used = (unsigned)__builtin_popcount((uint32_t)(all & ~meta->free));
    if (meta->mapped)
        add_mapped(sums, meta, used);
    else if (meta->releasable) {
        sums->used_blocks--;
        sums->used -= musl_extent(meta);
    }
    sums->used_blocks += used;
    sums->used += used * meta->stride;
    sums->idle += (meta->slots - used) * meta->stride;
    if (meta->at / MUSL_AREA != sums->area / MUSL_AREA)
        sums->metadata += MUSL_AREA;
    sums->area = meta->at;
    return true;
}

void musl_count(void *state, struct heap_figures *figures)
{
    struct musl_sums sums = {0};
    musl_each_meta(state, add_meta, &sums);
    heap_figures_set(figures, FIGURE_ARENAS, 1);
    heap_figures_set(figures, FIGURE_SYSTEM, sums.system + sums.metadata);
    heap_figures_set(figures, FIGURE_IN_USE, sums.used);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, sums.used_blocks);
    heap_figures_set(figures, FIGURE_FREE, sums.idle);
    heap_figures_unknown(figures, FIGURE_CACHED, "musl has no caches");
    heap_figures_set(figures, FIGURE_MAPPED, sums.mapped);
    heap_figures_set(figures, FIGURE_MAPPED_BLOCKS, sums.mapped_blocks);
    heap_figures_set(figures, FIGURE_METADATA, sums.metadata);
    heap_figures_set(figures, FIGURE_TRIMMABLE, sums.whole);
}
