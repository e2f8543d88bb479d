// SPDX-License-Identifier: MIT
// The spans of Go's heap, and the objects in them, in ascending order.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/go.h"
#include "heap/word.h"

#define SPANS_MAX (1u << 20) // that are walked: 8 GB of the smallest ones
#define POINTERS_MAX (1u << 22) // to spans, many of which may be dead
#define AT_ONCE 512u         // pointers to spans that are read at once
#define ROUNDS 40u           // in which spans are looked at that were just being changed
#define PAUSE (5 * NS_PER_MS) // between two of them: who changes it may have lost its CPU
#define CHUNK 16384u         // spans lie side by side in pieces of that size
#define ATTEMPTS 8u          // to read a span and a bitmap that fit each other
#define HEADER 8u            // bytes of a type before an object
#define HEADER_FROM 512u     // objects with pointers that are larger have one
#define BITMAP_MAX 1024u     // bytes: of the smallest objects in a span of one page

// In a span, of all versions.
#define START 24u
#define PAGES 32u
#define FREE_INDEX 48u
#define ALLOC_COUNT 96u
#define CLASS 98u // size class, and whether objects have no pointers
#define STATE 99u
#define ELEMENT_SIZE 104u
#define LIMIT 112u

static bool is_plausible(const struct go_span *span, uint64_t limit)
{
    uint64_t end = span->start + span->pages * GO_PAGE;
    return span->start && span->start % GO_PAGE == 0 && span->pages && span->pages < 1u << 28 &&
           span->count && span->size >= 8 && span->size <= span->pages * GO_PAGE &&
           span->count <= span->pages * GO_PAGE / span->size && span->allocated <= span->count &&
           span->free_index <= span->count && limit > span->start && limit <= end &&
           (span->count == 1 || span->count <= BITMAP_MAX * 8);
}

enum go_span_state go_span_decode(const struct go_layout *layout, const unsigned char *bytes,
                                  struct go_span *span)
{
    unsigned char class = bytes[CLASS], state = bytes[STATE];
    if (state != GO_SPAN_OBJECTS)
        return state < GO_SPAN_DAMAGED ? state : GO_SPAN_DAMAGED;
    uint64_t free_index = layout->narrow ? quarter_at(bytes, FREE_INDEX)
                                         : word_at(bytes, FREE_INDEX);
    uint64_t count = layout->narrow ? quarter_at(bytes, FREE_INDEX + 2)
                                    : word_at(bytes, FREE_INDEX + 8);
    *span = (struct go_span){
        .start = word_at(bytes, START),
        .size = word_at(bytes, ELEMENT_SIZE),
        .alloc_bits = word_at(bytes, layout->alloc_bits),
        .pages = word_at(bytes, PAGES),
        .count = count > UINT32_MAX ? 0 : (uint32_t)count,
        .allocated = quarter_at(bytes, ALLOC_COUNT),
        .free_index = free_index > UINT32_MAX ? UINT32_MAX : (uint32_t)free_index,
    };
    span->typed = layout->headers && !(class & 1) && class >> 1 && span->size > HEADER_FROM;
    return is_plausible(span, word_at(bytes, LIMIT)) ? GO_SPAN_OBJECTS : GO_SPAN_DAMAGED;
}

enum go_span_state go_span_absent(const struct heap_target *target, uint64_t at)
{
    const struct proc_map *map = heap_target_region(target, at);
    return map && map->writable ? GO_SPAN_DEAD : GO_SPAN_DAMAGED;
}

struct span_chunk { // of memory that holds spans
    uint64_t start;
    size_t length;
    unsigned char bytes[CHUNK];
};

static const unsigned char *span_bytes(struct heap_view *view, struct span_chunk *chunk,
                                       uint64_t at)
{
    if (at < chunk->start || at + GO_SPAN > chunk->start + chunk->length) {
        chunk->start = at;
        chunk->length = CHUNK;
        if (!heap_view_read(view, at, chunk->bytes, chunk->length))
            chunk->length = heap_view_read(view, at, chunk->bytes, GO_SPAN) ? GO_SPAN : 0;
    }
    return chunk->length ? chunk->bytes + (at - chunk->start) : NULL;
}

static void visit_some(const struct go_books *books, struct span_chunk *chunk,
                       const uint64_t *pointers, size_t count, uint64_t *damaged,
                       bool (*visit)(void *context, const struct go_span *span), void *context)
{
    struct go_span span = {0};
    for (size_t i = 0; i < count; i++) {
        const unsigned char *bytes = span_bytes(&books->target->view, chunk, pointers[i]);
        enum go_span_state state =
            bytes ? go_span_decode(books->layout, bytes, &span)
                  : go_span_absent(books->target, pointers[i]);
        *damaged += state == GO_SPAN_DAMAGED;
        span.at = pointers[i];
        if (state == GO_SPAN_OBJECTS && !visit(context, &span))
            return;
    }
}

// Copies pointers to spans, of which there should be `count`. Returns how many could be read.
static size_t copy_pointers(struct heap_view *view, uint64_t from, uint64_t *to, size_t count)
{
    for (size_t done = 0, some; done < count; done += some) {
        some = count - done < AT_ONCE ? count - done : AT_ONCE;
        if (!heap_view_read(view, from + done * sizeof *to, to + done, some * sizeof *to))
            return done;
    }
    return count;
}

// Copies the pointers to all spans. The slice is moved when it grows: then it is read again.
// Returns how many there are, or what could be read of them.
static size_t read_pointers(const struct go_books *books, uint64_t **pointers)
{
    struct heap_view *view = &books->target->view;
    size_t got = 0;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint64_t slice[2], after[2];
        if (!heap_view_read(view, books->all_spans, slice, sizeof slice))
            continue;
        size_t count = slice[1] < POINTERS_MAX ? slice[1] : POINTERS_MAX;
        *pointers = xrealloc(*pointers, (count + 1) * sizeof **pointers);
        got = copy_pointers(view, slice[0], *pointers, count);
        if (got == count && heap_view_read(view, books->all_spans, after, sizeof after) &&
            after[0] == slice[0])
            break;
    }
    return got;
}

uint64_t go_each_span(const struct go_books *books,
                      bool (*visit)(void *context, const struct go_span *span), void *context)
{
    uint64_t damaged = 0;
    AUTO_FREE uint64_t *pointers = NULL;
    AUTO_FREE struct span_chunk *chunk = xcalloc(1, sizeof *chunk);
    size_t count = read_pointers(books, &pointers);
    visit_some(books, chunk, pointers, count, &damaged, visit, context);
    return damaged + !count;
}

struct go_pass {
    const struct go_books *books;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    struct go_span *spans;
    size_t count, capacity;
    bool ended;
};

static bool remember(void *context, const struct go_span *span)
{
    struct go_pass *pass = context;
    ARRAY_RESERVE(pass->spans, pass->count, pass->capacity);
    pass->spans[pass->count++] = *span;
    return pass->count < SPANS_MAX;
}

static int compare(const void *left, const void *right)
{
    const struct go_span *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void visit(struct go_pass *pass, const struct go_span *span, uint32_t number,
                  uint64_t limit)
{
    uint64_t header = span->typed ? HEADER : 0;
    uint64_t address = span->start + number * span->size + header, usable = span->size - header;
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    struct heap_view *view = &pass->books->target->view;
    const unsigned char *bytes = heap_view_held(view, address, have);
    if (!bytes)
        bytes = heap_view_window(view, address, have, span->count == 1 ? address + have : limit);
    pass->ended = !pass->visitor->visit(pass->visitor->context,
                                        &(struct block){.address = address,
                                                        .usable = usable,
                                                        .taken = span->size,
                                                        .have = bytes ? have : 0,
                                                        .bytes = bytes});
}

static bool read_span(const struct go_books *books, uint64_t at, struct go_span *span)
{
    unsigned char bytes[GO_SPAN];
    if (!heap_view_read(&books->target->view, at, bytes, sizeof bytes) ||
        go_span_decode(books->layout, bytes, span) != GO_SPAN_OBJECTS)
        return false;
    span->at = at;
    return true;
}

// Returns whether what is before the free index and in the bitmap are as many as the span says.
static bool adds_up(const struct go_span *span, const unsigned char *bits)
{
    uint32_t count = span->free_index;
    for (uint32_t i = span->free_index; i < span->count; i++)
        count += bits[i / 8] >> i % 8 & 1;
    return count == span->allocated;
}

// Reads a span again, with the bitmap that it has now: the collector gives it another one in each
// cycle, and uses the old one's memory for others. False when the span has become another one.
static bool read_bits(struct go_pass *pass, struct go_span *span, unsigned char *bits)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        struct go_span now, after;
        pass->quality->resyncs += i != 0;
        if (!read_span(pass->books, span->at, &now) || now.start != span->start ||
            now.size != span->size || now.count != span->count)
            return false;
        *span = now;
        if (now.free_index == now.count)
            return true;
        if (heap_view_read(&pass->books->target->view, now.alloc_bits, bits, (now.count + 7) / 8) &&
            adds_up(&now, bits) && read_span(pass->books, span->at, &after) &&
            after.alloc_bits == now.alloc_bits)
            return true;
    }
    return false;
}

// Returns whether the span's objects could be told.
static bool walk_span(struct go_pass *pass, struct go_span *span, uint64_t limit)
{
    unsigned char bits[BITMAP_MAX] = {0};
    if (span->free_index < span->count && !read_bits(pass, span, bits))
        return false;
    for (uint32_t i = 0; i < span->count && !pass->ended; i++)
        if (i < span->free_index || bits[i / 8] >> i % 8 & 1)
            visit(pass, span, i, limit);
    return true;
}

// Returns where the memory ends that can be read from `start` on, of mappings that follow one
// another: advice splits them.
static uint64_t readable_end(const struct heap_target *target, uint64_t start)
{
    const struct proc_map *map = heap_target_region(target, start);
    const struct proc_map *behind = target->regions.list + target->regions.count;
    uint64_t end = start;
    for (; map && map < behind && map->readable && map->start <= end; map++)
        end = map->end;
    return end;
}

// Spans do not overlap: one that does was made of pages of an older one meanwhile. Those that were
// just being changed remain in the list.
static void walk_spans(struct go_pass *pass)
{
    uint64_t behind = 0, limit = 0;
    size_t left = 0;
    for (size_t i = 0; i < pass->count && !pass->ended; i++) {
        struct go_span span = pass->spans[i];
        uint64_t bytes = span.pages * GO_PAGE;
        if (span.start + bytes > limit)
            limit = readable_end(pass->books->target, span.start);
        if (span.start < behind || bytes > limit - span.start) {
            pass->quality->skipped += bytes;
            continue;
        }
        behind = span.start + bytes;
        if (walk_span(pass, &span, limit))
            pass->quality->walked += bytes;
        else
            pass->spans[left++] = span;
    }
    pass->count = left;
}

static void walk_patiently(struct go_pass *pass)
{
    walk_spans(pass);
    for (unsigned i = 0; i < ROUNDS && pass->count && !pass->ended; i++) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        walk_spans(pass);
    }
    for (size_t i = 0; i < pass->count; i++) {
        pass->quality->walked += pass->spans[i].pages * GO_PAGE;
        pass->quality->skipped += pass->spans[i].pages * GO_PAGE;
    }
}

void go_walk(void *books, const struct block_visitor *visitor, struct walk_quality *quality)
{
    struct go_pass pass = {.books = books, .visitor = visitor, .quality = quality};
    pass.quality->resyncs += go_each_span(books, remember, &pass);
    if (pass.count)
        qsort(pass.spans, pass.count, sizeof *pass.spans, compare);
    walk_patiently(&pass);
    free(pass.spans);
}
