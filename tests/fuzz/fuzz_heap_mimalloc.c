// SPDX-License-Identifier: MIT
// A hostile heap of mimalloc: the input is memory of this process at a multiple of 32 MiB.
#include "fuzz.h"

#include "heap/mimalloc.h"
#include "tests/fuzz/mimalloc_heap.h"

static struct own_memory own;

static void require(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO_BUF struct buf why = {0};
    struct heap_figures figures = {0};
    if (!own.bytes)
        own_memory_open(&own, MI_BYTES, "");
    length = length < MI_BYTES ? length : MI_BYTES;
    memset(own.bytes, 0, MI_BYTES);
    if (length)
        memcpy(own.bytes, bytes, length);
    heap_view_forget(&own.target.view);
    void *books = allocator_mimalloc.find(&own.target, &why);
    if (!books)
        return 0;
    struct own_visits visits = own_walk(&own, &allocator_mimalloc, books);
    require(visits.blocks <= MI_BYTES / 8);
    allocator_mimalloc.count(books, &figures);
    allocator_mimalloc.free(books);
    return 0;
}

// As far as the small blocks go, so that most of it means something.
bool fuzz_seed(size_t number, struct buf *out)
{
    if (number > 0)
        return false;
    if (!own.bytes)
        own_memory_open(&own, MI_BYTES, "");
    mi_put_heap(&own);
    buf_append(out, own.bytes, MI_BLOCK(MI_CAPACITY) - OWN_MEMORY);
    return true;
}
