// SPDX-License-Identifier: MIT
#include "process/image_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/patience.h"
#include "process/kept_file.h"

#define CHUNK (64u << 10) // bytes read from a file at once

struct chunk { // a piece of a file; it owns all that is needed to read it
    struct kept_file *file;
    uint64_t offset;
    size_t length;
    bool whole;
    unsigned char bytes[CHUNK];
};

static void chunk_read(void *context)
{
    struct chunk *chunk = context;
    ssize_t got = 1;
    int fd = kept_file_take(chunk->file);
    if (fd < 0)
        return;
    for (size_t done = 0; got > 0 && !chunk->whole; chunk->whole = done == chunk->length) {
        got = pread(fd, chunk->bytes + done, chunk->length - done,
                    (off_t)(chunk->offset + done));
        done += got > 0 ? (size_t)got : 0;
    }
    kept_file_give(chunk->file);
}

// What the page cache holds, and the end of the file, can be read without a helper thread, because
// RWF_NOWAIT never blocks. Not every file system supports it.
static bool chunk_read_at_hand(struct chunk *chunk)
{
    struct iovec to = {chunk->bytes, chunk->length};
    int fd = kept_file_take_open(chunk->file);
    if (fd < 0)
        return false;
    ssize_t got = preadv2(fd, &to, 1, (off_t)chunk->offset, RWF_NOWAIT);
    kept_file_give(chunk->file);
    chunk->whole = got == (ssize_t)chunk->length;
    return chunk->whole || got == 0;
}

static const unsigned char *chunk_get(struct image_store *store, uint64_t index)
{
    if (store->chunks[index])
        return store->chunks[index]->bytes;
    if (store->hung)
        return NULL;
    uint64_t start = index * CHUNK;
    struct chunk *chunk = xmalloc(sizeof *chunk);
    chunk->file = store->file;
    chunk->offset = start;
    chunk->length = store->size - start < CHUNK ? (size_t)(store->size - start) : CHUNK;
    store->hung = !chunk_read_at_hand(chunk) &&
                  !patience_call(chunk_read, free, chunk, IMAGE_READ_MS);
    if (store->hung)
        return NULL;
    if (!chunk->whole) { // the file was truncated after it was opened
        free(chunk);
        return NULL;
    }
    store->chunks[index] = chunk;
    return chunk->bytes;
}

bool image_store_read(struct image_store *store, uint64_t offset, void *to, size_t length)
{
    if (offset > store->size || length > store->size - offset)
        return false;
    if (store->bytes) {
        memcpy(to, store->bytes + offset, length);
        return true;
    }
    for (unsigned char *out = to; length;) {
        uint64_t inside = offset % CHUNK;
        size_t part = length < CHUNK - inside ? length : (size_t)(CHUNK - inside);
        const unsigned char *chunk = chunk_get(store, offset / CHUNK);
        if (!chunk)
            return false;
        memcpy(out, chunk + inside, part);
        out += part;
        offset += part;
        length -= part;
    }
    return true;
}

struct image_store *image_store_new(int fd, const void *bytes, uint64_t size)
{
    struct image_store *store = xcalloc(1, sizeof *store);
    *store = (struct image_store){.bytes = bytes, .size = size};
    store->file = fd >= 0 ? kept_file_new(fd) : NULL;
    store->chunk_count = bytes ? 0 : (size + CHUNK - 1) / CHUNK;
    store->chunks = xcalloc(store->chunk_count + 1, sizeof *store->chunks);
    return store;
}

void image_store_free(struct image_store *store)
{
    for (uint64_t i = 0; i < store->chunk_count; i++)
        free(store->chunks[i]);
    free(store->chunks);
    kept_file_free(store->file);
    free(store);
}
