// SPDX-License-Identifier: MIT
#include "heap/jemalloc_extents.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/version_text.h"

#define PAGE_SHIFT 12
#define EDATA_BYTES 128u       // of what describes an extent
#define EDATA_ALIGNMENT 64u    // twice that in 5.3; lower bits of a leaf's word are flags
#define EDATA_MAP 64u          // where the bits of a slab lie in it
#define ADDRESS_BITS 48u       // a leaf's word has the size class above them
#define ARENAS 4096u
#define REGIONS_MOST 512u      // of a slab
#define FREE_MASK 1023u        // of the number of free regions
#define SLAB_BIT 12u           // in the bits of an extent; in a word of a leaf it is bit 0
#define NO_CLASS 232u          // what holds no block has the number of classes
#define READS_MOST 3u          // of a description that changes meanwhile

#define EDATA_MASK (((1ull << ADDRESS_BITS) - 1) & ~(uint64_t)(EDATA_ALIGNMENT - 1))

static const struct extent_layout layouts[] = {
    {"5.3", 17, 7, 20, 28, 0x1f},
    {"5.2", 16, 3, 18, 26, 1},
};

uint64_t jemalloc_class_size(unsigned size_class)
{
    if (size_class == 0)
        return 8;
    if (size_class <= 4)
        return 16ull * size_class;
    unsigned group = (size_class - 5) / 4, step = (size_class - 5) % 4 + 1;
    return group > 50 ? UINT64_MAX : (64ull << group) + (16ull << group) * step;
}

static uint64_t word_at(const unsigned char *bytes, size_t at)
{
    uint64_t word;
    memcpy(&word, bytes + at, sizeof word);
    return word;
}

static unsigned count_bits(const uint64_t *map)
{
    unsigned count = 0;
    for (size_t i = 0; i < JEMALLOC_MAP_WORDS; i++)
        count += (unsigned)__builtin_popcountll(map[i]);
    return count;
}

// Says whether a slab is one: its regions fill its pages. When other regions are free than it says
// it was read while it changed; those that stay in use are told nevertheless.
static bool slab_fits(struct extent *extent)
{
    uint64_t size = jemalloc_class_size(extent->size_class);
    uint64_t regions = extent->size_class < JEMALLOC_BINS ? extent->size / size : 0;
    if (!regions || regions > REGIONS_MOST || extent->size % size ||
        extent->address % JEMALLOC_PAGE)
        return false;
    for (size_t i = 0; i < JEMALLOC_MAP_WORDS; i++) // bits behind the last region mean nothing
        if (regions < (i + 1) * 64)
            extent->map[i] &= regions > i * 64 ? (1ull << regions % 64) - 1 : 0;
    unsigned free = count_bits(extent->map);
    extent->torn = free != extent->free;
    extent->free = (uint16_t)free;
    return true;
}

static bool extent_fits(struct extent *extent, uint64_t word)
{
    if (!extent->size || extent->address >> (ADDRESS_BITS - 1) ||
        extent->size >> (ADDRESS_BITS - 1))
        return false;
    if (extent->state != EXTENT_ACTIVE)
        return extent->size_class == NO_CLASS;
    if (word >> ADDRESS_BITS != extent->size_class || (word & 1) != extent->slab)
        return false;
    if (extent->slab)
        return slab_fits(extent);
    // What is sampled has pages of its own, even when it is small.
    return jemalloc_class_size(extent->size_class) <= extent->size;
}

// Decodes what describes an extent, which a word of a leaf led to. False when it does not fit.
static bool decode(const struct extent_layout *layout, const unsigned char *bytes, uint64_t word,
                   struct extent *extent)
{
    uint64_t bits = word_at(bytes, 0);
    *extent = (struct extent){
        .address = word_at(bytes, 8),
        .size = word_at(bytes, 16) & ~(uint64_t)(JEMALLOC_PAGE - 1),
        .arena = bits & (ARENAS - 1),
        .slab = bits >> SLAB_BIT & 1,
        .state = (uint8_t)(bits >> layout->state_shift & layout->state_mask),
        .size_class = bits >> layout->class_shift & 255,
        .free = bits >> layout->free_shift & FREE_MASK,
    };
    memcpy(extent->map, bytes + EDATA_MAP, sizeof extent->map);
    return extent_fits(extent, word);
}

static uint64_t page_by(const struct extent_layout *layout, struct heap_target *target,
                        uint64_t word, uint64_t index)
{
    unsigned char bytes[EDATA_BYTES];
    struct extent extent;
    uint64_t edata = word & EDATA_MASK;
    for (unsigned tries = 0; tries < READS_MOST; tries++) {
        if (!edata || word & (EDATA_ALIGNMENT - 1) & ~layout->flags ||
            !heap_target_region(target, edata) ||
            !heap_view_read(&target->view, edata, bytes, sizeof bytes) ||
            !decode(layout, bytes, word, &extent))
            return RADIX_NO_PAGE;
        if (!extent.torn)
            return radix_page_within(target, PAGE_SHIFT, index,
                                     extent.address & ~(uint64_t)(JEMALLOC_PAGE - 1),
                                     (extent.address & ~(uint64_t)(JEMALLOC_PAGE - 1)) +
                                         extent.size);
    }
    return RADIX_NO_PAGE;
}

static uint64_t page_by_first(struct heap_target *target, uint64_t word, uint64_t index)
{
    return page_by(&layouts[0], target, word, index);
}

static uint64_t page_by_second(struct heap_target *target, uint64_t word, uint64_t index)
{
    return page_by(&layouts[1], target, word, index);
}

// Its messages begin with its name, whatever its functions are called.
static bool is_module(struct heap_target *target, uint64_t start, uint64_t end)
{
    (void)start;
    return version_text_mark(target, end - 1, "<jemalloc>");
}

static const struct radix_shape shapes[] = {
    {PAGE_SHIFT, 18, 64, EDATA_MASK, is_module, page_by_first},
    {PAGE_SHIFT, 18, 64, EDATA_MASK, is_module, page_by_second},
};

bool jemalloc_tree_find(struct jemalloc_tree *tree, struct heap_target *target)
{
    *tree = (struct jemalloc_tree){.target = target};
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        radix_tree_fini(&tree->radix);
        tree->layout = &layouts[i];
        if (radix_tree_find(&tree->radix, target, &shapes[i]))
            return true;
        if (!tree->radix.data)
            break;
    }
    return false;
}

void jemalloc_tree_fini(struct jemalloc_tree *tree)
{
    radix_tree_fini(&tree->radix);
}

// ---------------------------------------------------------------- a leaf

static int compare_words(const void *left, const void *right)
{
    uint64_t a = ((const struct radix_word *)left)->word & EDATA_MASK;
    uint64_t b = ((const struct radix_word *)right)->word & EDATA_MASK;
    return a < b ? -1 : a > b;
}

static int compare_extents(const void *left, const void *right)
{
    const struct extent *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

// Reads one description, again when it does not fit or is torn: it may have changed meanwhile.
static bool read_extent(const struct jemalloc_tree *tree, uint64_t word, uint64_t limit,
                        struct extent *extent)
{
    struct heap_view *view = &tree->target->view;
    unsigned char again[EDATA_BYTES];
    uint64_t edata = word & EDATA_MASK;
    const unsigned char *bytes = heap_view_window(view, edata, EDATA_BYTES, limit);
    bool fits = bytes && decode(tree->layout, bytes, word, extent);
    for (unsigned reads = 1; reads < READS_MOST && bytes && (!fits || extent->torn); reads++)
        fits = heap_view_read(view, edata, again, sizeof again) &&
               decode(tree->layout, again, word, extent);
    return fits;
}

// What is not a slab may be of any size: it has to begin and end in mappings.
static bool is_mapped(const struct heap_target *target, const struct extent *extent)
{
    uint64_t start = extent->address & ~(uint64_t)(JEMALLOC_PAGE - 1);
    return extent->slab || (heap_target_region(target, start) &&
                            heap_target_region(target, start + extent->size - 1));
}

// Takes the extent of a word when the word is that of its first page.
static void take(const struct jemalloc_tree *tree, const struct radix_leaf *leaf,
                 const struct radix_word *word, struct leaf_extents *extents)
{
    struct extent *extent = &extents->list[extents->count];
    const struct proc_map *map = heap_target_region(tree->target, word->word & EDATA_MASK);
    if (!map || !read_extent(tree, word->word, map->end, extent) ||
        !is_mapped(tree->target, extent)) {
        extents->damaged++;
        return;
    }
    struct address_list *described = &extents->described;
    uint64_t stretch = word->word & EDATA_MASK & ~(JEMALLOC_STRETCH - 1);
    if (!described->count || described->list[described->count - 1] != stretch)
        address_list_add(described, stretch);
    if (extent->address / JEMALLOC_PAGE == leaf->first_page + word->index)
        extents->count++;
}

void jemalloc_extents_fini(struct leaf_extents *extents)
{
    free(extents->list);
    address_list_fini(&extents->described);
    *extents = (struct leaf_extents){0};
}

void jemalloc_extents_read(struct leaf_extents *extents, const struct jemalloc_tree *tree,
                           const struct radix_leaf *leaf)
{
    AUTO_FREE struct radix_word *words = xmalloc(RADIX_LEAF_WORDS * sizeof *words);
    size_t count = radix_leaf_words(tree->target, shapes, leaf, words);
    *extents = (struct leaf_extents){.list = xmalloc((count + 1) * sizeof *extents->list)};
    if (count)
        qsort(words, count, sizeof *words, compare_words);
    for (size_t i = 0; i < count; i++)
        take(tree, leaf, &words[i], extents);
    if (extents->count)
        qsort(extents->list, extents->count, sizeof *extents->list, compare_extents);
}
