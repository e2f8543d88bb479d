// SPDX-License-Identifier: MIT
// The books of gperftools' tcmalloc: the input are descriptions of spans, the words of a leaf that
// lead to them, a thread's cache, some central ones, and the first pages of the heap.
#include "fuzz.h"

#include "base/mem.h"
#include "heap/tcmalloc_spans.h"
#include "own_books.h"

#define SPANS 0u
#define WORDS 0x1000u       // of the leaf
#define THREAD 0x2000u
#define CENTRAL 0x4000u
#define CONTENTS 0x10000u
#define CONTENTS_BYTES (32u << 10)
#define PAGES 16u
#define CLASSES 40u
#define CLASS 3u            // of 32 bytes
#define CENTRAL_WORDS 152u
#define ROOT_WORDS (1u << 17)

// In this program's data, as tcmalloc's are.
__attribute__((used)) static uint64_t root[ROOT_WORDS], central[CLASSES * CENTRAL_WORDS], threads;
__attribute__((used)) static uint32_t sizes[TCMALLOC_CLASSES];
static struct heap_target target;
static void *books;

static void put(struct buf *out, size_t at, uint64_t word)
{
    while (out->length < at + 8)
        buf_putc(out, '\0');
    memcpy(out->data + at, &word, sizeof word);
}

static void put_span(struct buf *out, unsigned page, unsigned length, uint64_t objects,
                     uint64_t bits)
{
    size_t span = SPANS + page * 48;
    put(out, span, (HEAP >> TCMALLOC_PAGE_SHIFT) + page);
    put(out, span + 8, length);
    put(out, span + 32, objects);
    put(out, span + 40, bits);
    put(out, WORDS + page * 8, BOOKS + span);
}

// Links `count` blocks of the heap from one on.
static uint64_t put_list(struct buf *out, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++)
        put(out, CONTENTS + i * 32, i + 1 < from + count ? HEAP + (i + 1) * 32 : 0);
    return HEAP + from * 32;
}

static void put_caches(struct buf *out)
{
    for (uint32_t i = 0; i < CLASSES; i++) {
        put(out, THREAD + i * 32 + 24, sizes[TCMALLOC_CLASSES - CLASSES + i]);
        put(out, CENTRAL + i * CENTRAL_WORDS * 8 + 8, i);
    }
    put(out, THREAD + CLASS * 32, put_list(out, 60, 4));
    put(out, THREAD + CLASS * 32 + 8, 4);
    put(out, CENTRAL + CLASS * CENTRAL_WORDS * 8 + 128, put_list(out, 70, 2));
    put(out, CENTRAL + CLASS * CENTRAL_WORDS * 8 + 136, HEAP + 71 * 32);
    put(out, CENTRAL + CLASS * CENTRAL_WORDS * 8 + 1152, 1);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    if (number >= 1)
        return false;
    for (uint32_t i = 0; i < CLASSES; i++)
        sizes[TCMALLOC_CLASSES - CLASSES + i] = i < 2 ? i * 8 : (i - 1) * 16;
    sizes[TCMALLOC_CLASSES - 1] = 262144;
    put_caches(out);
    put_span(out, 0, 1, put_list(out, 0, 50), 206 | CLASS << 16);
    put_span(out, 1, 1, put_list(out, 256, 9), 247 | CLASS << 16);
    put_span(out, 2, 3, 0, 0);
    put_span(out, 5, 4, 0, 1 << 24);
    put_span(out, 9, 7, 0, 2 << 24);
    return true;
}

static void take(const uint8_t *bytes, size_t length)
{
    take_input(bytes, length);
    memcpy(memory_at(LEAF), memory_at(BOOKS + WORDS), PAGES * 8);
    memcpy(memory_at(HEAP), memory_at(BOOKS + CONTENTS), CONTENTS_BYTES);
    memcpy(central, memory_at(BOOKS + CENTRAL), sizeof central);
}

static void begin(void)
{
    AUTO_BUF struct buf seed = {0}, why = {0};
    map_memory(BOOKS);
    map_memory(LEAF);
    map_memory(HEAP);
    root[HEAP >> 31] = LEAF;
    threads = BOOKS + THREAD;
    fuzz_seed(0, &seed);
    take((const uint8_t *)seed.data, seed.length);
    open_own(&target);
    books = allocator_tcmalloc.find(&target, &why);
    require(books);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!books)
        begin();
    take(bytes, length);
    walk_books(&allocator_tcmalloc, books, &target);
    return 0;
}
