// SPDX-License-Identifier: MIT
// A hostile heap of musl: the input is memory of this process, in which its books are looked for.
#include "fuzz.h"

#include "heap/musl.h"
#include "tests/fuzz/musl_heap.h"

static struct own_memory own;

static void require(bool good)
{
    if (!good)
        abort();
}

static void try_books(void *books)
{
    struct heap_figures figures = {0};
    struct own_visits visits = own_walk(&own, &allocator_musl, books);
    require(!visits.bad && visits.taken <= MUSL_BYTES);
    allocator_musl.count(books, &figures);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO_BUF struct buf why = {0};
    if (!own.bytes)
        own_memory_open(&own, MUSL_BYTES, "/program");
    length = length < MUSL_BYTES ? length : MUSL_BYTES;
    memset(own.bytes, 0, MUSL_BYTES);
    if (length)
        memcpy(own.bytes, bytes, length);
    heap_view_forget(&own.target.view);
    struct musl_books *books = allocator_musl.find(&own.target, &why);
    if (books)
        try_books(books);
    allocator_musl.free(books);
    try_books(&(struct musl_books){.target = &own.target, .secret = MUSL_SECRET,
                                   .areas = MUSL_METAS_AT});
    return 0;
}

// The metas and the small group, without the block that is large.
bool fuzz_seed(size_t number, struct buf *out)
{
    if (number > 0)
        return false;
    if (!own.bytes)
        own_memory_open(&own, MUSL_BYTES, "/program");
    musl_put_heap(&own);
    buf_append(out, own.bytes, MUSL_LARGE + 64 - OWN_MEMORY);
    return true;
}
