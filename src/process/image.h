// SPDX-License-Identifier: MIT
// The bytes of one ELF file (or of the vdso), held locally and read through bounds checks only.
// Nothing is mapped: the owner of the file may truncate it at any time. libelf reads the headers.
// A read that does not return within two seconds (the file's server is gone) is the last one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

#include "base/err.h"

#define BUILD_ID_MAX 64

struct segment { // a PT_LOAD program header
    uint64_t offset, vaddr, file_size, memory_size;
    uint32_t flags; // PF_R, PF_W, PF_X
};

struct image {
    uint64_t size; // of the file, bytes
    struct segment *segments;
    size_t segment_count;
    size_t section_count; // 0: the section headers were removed
    uint64_t eh_frame_hdr, eh_frame_hdr_size; // link-time address and size; 0: there is none
    uint64_t eh_frame, eh_frame_size;         // the same, by the section headers
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_length; // 0: none
    Elf *elf; // for readers of sections, once image_keep_elf has been called; owned
    unsigned char *debug_frame; // .debug_frame, uncompressed, once asked for
    size_t debug_frame_size;
    bool debug_frame_read;
    struct image_store *store;
};

struct debug_link { // .gnu_debuglink
    char name[256]; // of a file, never a path
    uint32_t checksum; // CRC-32 of all its bytes
};

// Takes the descriptor (also on failure). RC_FORMAT: not an ELF file of this machine's class.
enum rc image_open(int fd, struct image **out, struct err *err) MUST_CHECK;

// The image that lies at `bytes`, which must outlive it.
enum rc image_wrap(const void *bytes, size_t size, struct image **out, struct err *err) MUST_CHECK;
void image_free(struct image *image);

// Opens image->elf, and keeps what it reads from open. False when it cannot be had (any more).
bool image_keep_elf(struct image *image);

// A fresh descriptor from which all its bytes can be read, -1 when there is none to be had.
int image_reopen(const struct image *image);

// Copies file bytes [offset, offset + length); false when they are not all there.
bool image_read(const struct image *image, uint64_t offset, void *to, size_t length);

// Link-time address of a file offset and back, by the PT_LOAD that holds it; false when none does.
bool image_vaddr(const struct image *image, uint64_t offset, uint64_t *vaddr);
bool image_offset(const struct image *image, uint64_t vaddr, uint64_t *offset);

// The bytes of .debug_frame, which live as long as the image; NULL when there are none.
const unsigned char *image_debug_frame(struct image *image, size_t *size);

// False when there is none of this form.
bool image_debug_link(const struct image *image, struct debug_link *link);

// Both have a build id, and it is the same.
bool image_same_build(const struct image *a, const struct image *b);

// Lower-case hex of the build id, "" without one.
void image_build_id_hex(const struct image *image, char text[2 * BUILD_ID_MAX + 1]);
