// SPDX-License-Identifier: MIT
// Where the bytes of an image come from: memory, or a file of which pieces are read when needed and
// kept. A read that does not return in time is the last one: the file's server may be gone.
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
    struct chunk **chunks; // by offset, NULL until read
    uint64_t chunk_count;
    bool hung; // nothing more is read; a thread may use all of this for ever, so it is never freed
};

// Takes the descriptor; negative: the bytes are there.
struct image_store *image_store_new(int fd, const void *bytes, uint64_t size);
void image_store_free(struct image_store *store);

// Copies bytes [offset, offset + length); false when they are not all there.
bool image_store_read(struct image_store *store, uint64_t offset, void *to, size_t length);
