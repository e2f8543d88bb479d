// SPDX-License-Identifier: MIT
// A hostile heap of Go: the input is memory of this process, data of a program and spans at once.
#include "fuzz.h"

#include "heap/go.h"
#include "tests/fuzz/go_heap.h"

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
        own_memory_open(&own, GO_BYTES, "/program");
    length = length < GO_BYTES ? length : GO_BYTES;
    memset(own.bytes, 0, GO_BYTES);
    if (length)
        memcpy(own.bytes, bytes, length);
    heap_view_forget(&own.target.view);
    void *books = allocator_go.find(&own.target, &why);
    if (!books)
        return 0;
    struct own_visits visits = own_walk(&own, &allocator_go, books);
    require(!visits.bad && visits.taken <= GO_BYTES);
    allocator_go.count(books, &figures);
    allocator_go.free(books);
    return 0;
}

// The spans and their bitmaps, without the objects.
bool fuzz_seed(size_t number, struct buf *out)
{
    if (number > 0)
        return false;
    if (!own.bytes)
        own_memory_open(&own, GO_BYTES, "/program");
    go_put_heap(&own);
    buf_append(out, own.bytes, GO_START(0) - OWN_MEMORY);
    return true;
}
