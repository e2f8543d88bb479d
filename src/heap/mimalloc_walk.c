// SPDX-License-Identifier: MIT
// Blocks of mimalloc's pages: all below the capacity that are on no list. The head of `free` is
// read after the blocks, since what is behind it then has been free all the time; the heads of the
// lists that grow are read before them. A list that leads elsewhere was moved meanwhile: the page
// is read again.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/mimalloc.h"
#include "heap/word.h"

#define ATTEMPTS 4u
#define DELAYED_MAX (1u << 18) // blocks
#define HEAPS_MAX 4096u        // whose delayed blocks are looked for
#define HEAP_MAX 2904u         // bytes of a heap that are looked at
#define FULL_QUEUE 131088u     // the size that a heap's last queue is for

struct mimalloc_pass {
    const struct mimalloc_books *books;
    struct heap_view *view;
    const struct mimalloc_segment *segment;
    struct mimalloc_page page;
    uint64_t *delayed; // ascending
    size_t delayed_count, delayed_capacity;
    uint64_t *heaps;
    size_t heap_count, heap_capacity;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    uint32_t free;       // blocks that are marked
    uint32_t elsewhere;  // of them those that `used` counts
    bool ended;
    uint8_t marks[8192]; // a bit for each block that is free
};

static bool is_marked(const struct mimalloc_pass *pass, uint64_t number)
{
    return pass->marks[number / 8] >> number % 8 & 1;
}

// Marks the block that begins there. False when none does, or it is marked.
static bool mark(struct mimalloc_pass *pass, uint64_t address)
{
    uint64_t into = address - pass->page.start, number = into / pass->page.size;
    if (number >= pass->page.capacity || into % pass->page.size || is_marked(pass, number))
        return false;
    pass->marks[number / 8] |= (uint8_t)(1u << number % 8);
    pass->free++;
    return true;
}

static inline const unsigned char *block_bytes(struct mimalloc_pass *pass, uint64_t address,
                                               size_t length)
{
    const unsigned char *held = heap_view_held(pass->view, address, length);
    if (held)
        return held;
    const struct mimalloc_page *page = &pass->page;
    uint64_t end = page->capacity == 1 ? address + length
                                       : page->start + page->capacity * page->size;
    return heap_view_window(pass->view, address, length, end);
}

// Marks the blocks of a list; no block is met twice. False when it leads elsewhere.
static bool mark_list(struct mimalloc_pass *pass, uint64_t head)
{
    for (uint64_t at = head; at;) {
        if (!mark(pass, at))
            return false;
        const unsigned char *bytes = block_bytes(pass, at, 8);
        if (!bytes)
            return false;
        at = mimalloc_decode(word_at(bytes, 0), pass->page.entry, pass->page.keys);
    }
    return true;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void mark_delayed(struct mimalloc_pass *pass)
{
    size_t low = 0, high = pass->delayed_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pass->delayed[middle] < pass->page.start)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t end = pass->page.start + pass->page.capacity * pass->page.size;
    for (; low < pass->delayed_count && pass->delayed[low] < end; low++)
        mark(pass, pass->delayed[low]);
}

// Reads the page's blocks and marks those that are free. False when the page changed meanwhile.
static bool try_page(struct mimalloc_pass *pass)
{
    struct mimalloc_page before = pass->page;
    pass->free = 0;
    memset(pass->marks, 0, (pass->page.capacity + 7) / 8);
    heap_view_forget(pass->view);
    block_bytes(pass, pass->page.start, 1);
    if (!mimalloc_page_again(pass->books, pass->segment, &pass->page) ||
        pass->page.capacity < before.capacity)
        return false;
    pass->page.capacity = before.capacity;
    mark_delayed(pass);
    bool whole = mark_list(pass, before.thread_free);
    pass->elsewhere = pass->free;
    whole &= mark_list(pass, before.local_free);
    return mark_list(pass, pass->page.free) && whole;
}

// Returns whether a block that is not marked looks like one that is free: it leads to another block
// of the page or nowhere.
static bool looks_free(const struct mimalloc_pass *pass, const unsigned char *bytes)
{
    if (!bytes)
        return false;
    uint64_t next = mimalloc_decode(word_at(bytes, 0), pass->page.entry, pass->page.keys);
    uint64_t into = next - pass->page.start;
    return !next || (into / pass->page.size < pass->page.capacity && into % pass->page.size == 0);
}

static uint64_t usable_bytes(struct mimalloc_pass *pass, uint64_t address)
{
    uint64_t size = pass->page.size;
    const unsigned char *last =
        pass->books->encoded ? block_bytes(pass, address + size - 8, 8) : NULL;
    return last ? mimalloc_usable(&pass->page, address, word_at(last, 0)) : size;
}

static void visit(struct mimalloc_pass *pass, uint64_t address)
{
    uint64_t usable = usable_bytes(pass, address);
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    const unsigned char *bytes = have ? block_bytes(pass, address, have) : NULL;
    pass->ended = !pass->visitor->visit(pass->visitor->context,
                                        &(struct block){.address = address,
                                                        .usable = usable,
                                                        .taken = pass->page.size,
                                                        .have = bytes ? have : 0,
                                                        .bytes = bytes});
}

// Visits what is not marked, but for `surplus` blocks that look as if they were free.
static void visit_unmarked(struct mimalloc_pass *pass, uint64_t surplus)
{
    for (uint32_t i = 0; i < pass->page.capacity && !pass->ended; i++) {
        uint64_t address = pass->page.start + i * pass->page.size;
        if (is_marked(pass, i))
            continue;
        if (surplus && looks_free(pass, block_bytes(pass, address, 8)))
            surplus--;
        else
            visit(pass, address);
    }
}

static void walk_page(struct mimalloc_pass *pass)
{
    bool whole = false;
    pass->quality->walked += pass->page.capacity * pass->page.size;
    for (unsigned i = 0; i < ATTEMPTS && !whole; i++) {
        if (!mimalloc_page_again(pass->books, pass->segment, &pass->page))
            return; // it has been given back
        whole = try_page(pass);
        pass->quality->resyncs += !whole;
    }
    uint64_t left = pass->page.capacity - pass->free, used = pass->page.used;
    used -= used < pass->elsewhere ? used : pass->elsewhere;
    uint64_t surplus = !whole && left > used ? left - used : 0;
    pass->quality->skipped += surplus * pass->page.size;
    visit_unmarked(pass, surplus);
}

// Calls for each page that has blocks; `quality` is told of tables that are damaged.
static void each_page(struct mimalloc_pass *pass, void (*call)(struct mimalloc_pass *pass))
{
    size_t size = mimalloc_entry_size(pass->books);
    AUTO_FREE unsigned char *table = xmalloc(MIMALLOC_SLICES * size);
    for (size_t i = 0; i < pass->books->count && !pass->ended; i++) {
        const struct mimalloc_segment *segment = &pass->books->segments[i];
        pass->segment = segment;
        if (!segment->used || !mimalloc_read_table(pass->books, segment, table))
            continue;
        uint32_t slice = segment->info, count = 1;
        for (; slice < segment->entries && count && !pass->ended; slice += count) {
            count = mimalloc_page_in(pass->books, segment, table, slice, &pass->page);
            if (count && pass->page.size && pass->page.capacity && pass->page.used)
                call(pass);
            else if (!count)
                pass->quality->skipped += (segment->entries - slice) * MIMALLOC_SLICE;
        }
    }
}

static void remember_heap(struct mimalloc_pass *pass)
{
    uint64_t heap = pass->page.heap;
    for (size_t i = pass->heap_count; i-- > 0;)
        if (pass->heaps[i] == heap)
            return;
    if (!heap || pass->heap_count >= HEAPS_MAX)
        return;
    ARRAY_RESERVE(pass->heaps, pass->heap_count, pass->heap_capacity);
    pass->heaps[pass->heap_count++] = heap;
}

// Returns where in a heap the head of its list stands: 0 when that is not known. Its queues of
// pages lie before it in the versions that have no pointer to a page's start, and the last of these
// is known by the size that it is for.
static size_t delayed_at(const struct mimalloc_pass *pass, const unsigned char *heap)
{
    if (pass->books->layout->has_start)
        return 8;
    for (size_t at = 2832; at <= 2840; at += 8)
        if (word_at(heap, at) == FULL_QUEUE)
            return at + 8;
    return 0;
}

// Adds the blocks of a heap's list. Behind its head stand the thread that it belongs to, its arena,
// its cookie and the keys of the list.
static void add_delayed(struct mimalloc_pass *pass, uint64_t heap)
{
    unsigned char bytes[HEAP_MAX];
    size_t at = heap_view_read(pass->view, heap, bytes, sizeof bytes) ? delayed_at(pass, bytes) : 0;
    uint64_t keys[2] = {0}, link;
    if (!at)
        return;
    for (size_t i = 0; i < 2 && pass->books->encoded; i++)
        keys[i] = word_at(bytes, at + 32 + 8 * i);
    for (uint64_t block = word_at(bytes, at);
         block && pass->delayed_count < DELAYED_MAX &&
         heap_view_read(pass->view, block, &link, sizeof link);
         block = mimalloc_decode(link, heap, keys)) {
        ARRAY_RESERVE(pass->delayed, pass->delayed_count, pass->delayed_capacity);
        pass->delayed[pass->delayed_count++] = block;
    }
}

void mimalloc_walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    const struct mimalloc_books *books = state;
    struct mimalloc_pass *pass = xcalloc(1, sizeof *pass);
    struct walk_quality ignored = {0};
    pass->books = books;
    pass->view = &books->target->view;
    pass->visitor = visitor;
    pass->quality = &ignored;
    each_page(pass, remember_heap);
    for (size_t i = 0; i < pass->heap_count; i++)
        add_delayed(pass, pass->heaps[i]);
    if (pass->delayed_count)
        qsort(pass->delayed, pass->delayed_count, sizeof *pass->delayed, compare);
    pass->quality = quality;
    each_page(pass, walk_page);
    free(pass->heaps);
    free(pass->delayed);
    free(pass);
}
