// SPDX-License-Identifier: MIT
// The tables of mimalloc's segments.
#include <string.h>

#include "heap/mimalloc.h"
#include "heap/word.h"

// In each entry, of all versions.
#define SLICE_COUNT 0u
#define SLICE_OFFSET 4u
#define CAPACITY 10u
#define FREE 16u
#define KEYS 16u // bytes of the keys, which lie before `thread_free`

#define PAGE 4096u
#define SIZE_OF_PAGE 0x80000000u // and above, where sizes have 32 bits: the block is the page
#define SMALL 1024u              // pages of blocks up to this size do not begin with their slice
#define SMALL_START 384u

size_t mimalloc_entry_size(const struct mimalloc_books *books)
{
    return books->layout->page + (books->encoded ? KEYS : 0);
}

// Entries within a run of free slices were never written, so their page may not be there.
bool mimalloc_read_table(const struct mimalloc_books *books, const struct mimalloc_segment *segment,
                         unsigned char *table)
{
    uint64_t at = segment->at + books->layout->slices;
    size_t size = segment->entries * mimalloc_entry_size(books), read = 0;
    for (size_t done = 0, piece; done < size; done += piece) {
        piece = PAGE - (at + done) % PAGE;
        piece = piece < size - done ? piece : size - done;
        if (heap_view_read(&books->target->view, at + done, table + done, piece))
            read += piece;
        else
            memset(table + done, 0, piece);
    }
    return read;
}

// Returns how far from its slice on the first block lies, by the rule that 2.0 has or that of 2.1.
static uint64_t start_offset(const struct mimalloc_books *books, uint64_t size)
{
    if (books->aligned_start)
        return size <= SMALL ? SMALL_START : 0;
    return size <= 64 ? 3 * size : size <= 512 ? size : 0;
}

static void give_start(const struct mimalloc_books *books, const unsigned char *entry,
                       uint64_t base, struct mimalloc_page *page)
{
    const struct mimalloc_layout *layout = books->layout;
    page->size = layout->has_start ? word_at(entry, layout->block_size)
                                   : half_at(entry, layout->block_size);
    if (layout->has_start)
        page->start = word_at(entry, layout->page_start);
    else
        page->start = base + start_offset(books, page->size);
    if (!layout->has_start && page->size >= SIZE_OF_PAGE)
        page->size = page->span;
}

static void give_lists(const struct mimalloc_books *books, const unsigned char *entry,
                       struct mimalloc_page *page)
{
    const struct mimalloc_layout *layout = books->layout;
    size_t shift = books->encoded ? KEYS : 0;
    page->capacity = quarter_at(entry, CAPACITY);
    page->used = layout->has_start ? quarter_at(entry, layout->used)
                                   : half_at(entry, layout->used);
    page->free = word_at(entry, FREE);
    page->local_free = word_at(entry, layout->local_free);
    page->thread_free = word_at(entry, layout->thread_free + shift) & ~3ull;
    page->heap = word_at(entry, layout->thread_free + shift + 8);
    for (size_t i = 0; i < 2 && books->encoded; i++)
        page->keys[i] = word_at(entry, layout->thread_free + 8 * i);
}

// Returns whether blocks up to the capacity lie in the page.
static bool fits(const struct mimalloc_page *page, uint64_t base)
{
    uint64_t into = page->start - base;
    return page->size >= 8 && into < page->span && page->used <= page->capacity &&
           page->size <= (page->span - into) / (page->capacity ? page->capacity : 1);
}

static bool decode_page(const struct mimalloc_books *books, const unsigned char *entry,
                        uint64_t base, struct mimalloc_page *page)
{
    give_start(books, entry, base, page);
    if (page->size <= 1) { // a run that is free, and entries behind a page's first
        page->size = 0;
        return true;
    }
    give_lists(books, entry, page);
    return fits(page, base);
}

uint32_t mimalloc_page_in(const struct mimalloc_books *books,
                          const struct mimalloc_segment *segment, const unsigned char *table,
                          uint32_t slice, struct mimalloc_page *page)
{
    size_t size = mimalloc_entry_size(books);
    const unsigned char *entry = table + slice * size;
    uint32_t count = half_at(entry, SLICE_COUNT);
    uint32_t room = (segment->huge ? segment->slices : segment->entries) - slice;
    *page = (struct mimalloc_page){
        .entry = segment->at + books->layout->slices + slice * size,
        .span = count * MIMALLOC_SLICE,
    };
    if (!count || count > room || half_at(entry, SLICE_OFFSET) ||
        !decode_page(books, entry, segment->at + slice * MIMALLOC_SLICE, page))
        return 0;
    return count;
}

bool mimalloc_page_again(const struct mimalloc_books *books,
                         const struct mimalloc_segment *segment, struct mimalloc_page *page)
{
    unsigned char entry[MIMALLOC_PAGE_MAX];
    struct mimalloc_page now = {.entry = page->entry, .span = page->span};
    size_t size = mimalloc_entry_size(books);
    uint64_t slice = (page->entry - segment->at - books->layout->slices) / size;
    if (!heap_view_read(&books->target->view, page->entry, entry, size) ||
        half_at(entry, SLICE_COUNT) * MIMALLOC_SLICE != page->span ||
        !decode_page(books, entry, segment->at + slice * MIMALLOC_SLICE, &now) ||
        now.size != page->size || now.start != page->start)
        return false;
    *page = now;
    return true;
}

static uint64_t rotate(uint64_t value, unsigned by) // to the left
{
    return by % 64 ? value << by % 64 | value >> (64 - by % 64) : value;
}

uint64_t mimalloc_decode(uint64_t link, uint64_t owner, const uint64_t *keys)
{
    if (!keys[0] && !keys[1])
        return link;
    uint64_t address = rotate(link - keys[0], 64 - keys[0] % 64) ^ keys[1];
    return address == owner ? 0 : address;
}

uint64_t mimalloc_usable(const struct mimalloc_page *page, uint64_t block, uint64_t padding)
{
    uint32_t canary = (uint32_t)(rotate(block ^ page->keys[1], page->keys[0] % 64) + page->keys[0]);
    uint64_t left = padding >> 32, room = page->size - sizeof padding;
    return ((uint32_t)padding ^ canary) >> 8 == 0 && left <= room ? room - left : page->size;
}
