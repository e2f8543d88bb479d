// SPDX-License-Identifier: MIT
// Where the bytes of an image come from: memory, or a file whose pieces are read when they are
// needed and then kept. After a read that timed out nothing more is read, because the file server
// may be gone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_READ_MS 2000

struct chunk;
struct kept_file;

struct image_store {
    struct kept_file *file;     // NULL: the bytes are in memory
    const unsigned char *bytes; // borrowed
    uint64_t size;
    struct chunk **chunks; // indexed by offset / piece size; NULL until read
    uint64_t chunk_count;
    bool hung; // a read timed out: its thread may use all of this for ever, so it is never freed
};

// Makes a store of a file, and owns fd. With a negative fd it is a store of the bytes in memory.
struct image_store *image_store_new(int fd, const void *bytes, uint64_t size);
void image_store_free(struct image_store *store);

// Copies bytes [offset, offset + length); returns false when some of them are missing.
bool image_store_read(struct image_store *store, uint64_t offset, void *to, size_t length);
