// SPDX-License-Identifier: MIT
// The bytes of one ELF file (or of the vdso) and what its headers say. All reads are bounds-checked
// and nothing is mapped, because the owner of the file may truncate it at any time. libelf reads
// the headers, in a process without rights where image_describe_by was called. After a read that
// did not return within two seconds (a dead file server) nothing more is read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

#include "base/err.h"

#define BUILD_ID_MAX 64
#define SEGMENTS_MAX 4096u

struct segment { // a PT_LOAD program header
    uint64_t offset, vaddr, file_size, memory_size;
    uint32_t flags; // PF_R, PF_W, PF_X
};

struct debug_link { // the contents of .gnu_debuglink
    char name[256]; // a file name without a directory; "": there is none, or it is malformed
    uint32_t checksum; // CRC-32 of the whole debug file
};

struct image_headers { // what the headers say, without pointers
    uint64_t section_count; // 0: the section headers were stripped
    uint64_t eh_frame_hdr, eh_frame_hdr_size; // link-time address and size; 0: there is none
    uint64_t eh_frame, eh_frame_size;         // the same, taken from the section headers
    uint64_t debug_frame_size;                // of .debug_frame; 0: there is none
    struct debug_link link;
    unsigned char build_id[BUILD_ID_MAX];
    uint32_t build_id_length; // 0: none
    uint32_t segment_count;
};

struct image {
    uint64_t size; // size of the file, bytes
    struct image_headers headers;
    struct segment *segments;
    Elf *elf; // for readers of sections, set by image_keep_elf; owned
    unsigned char *debug_frame; // .debug_frame, uncompressed, read on first use; owned
    size_t debug_frame_size;
    bool debug_frame_read;
    struct image_store *store;
};

// Has the headers of files read by describe(image, err), which sets `headers` and `segments`; with
// NULL they are read in this process. RC_FORMAT means that it is not an ELF file of this machine's
// class.
void image_describe_by(enum rc (*describe)(struct image *image, struct err *err));

// Opens the ELF file behind fd, and owns fd from then on (on failure it is closed). RC_FORMAT: it
// is not an ELF file of this machine's class.
enum rc image_open(int fd, struct image **out, struct err *err) MUST_CHECK;

// Has the file opened again by reopen(context), as kept_file_reopen_by (process/kept_file.h).
void image_reopen_by(struct image *image, int (*reopen)(void *context), void *context);

// Makes an image of the bytes at `bytes`, which must outlive it.
enum rc image_wrap(const void *bytes, size_t size, struct image **out, struct err *err) MUST_CHECK;
void image_free(struct image *image);

// Opens image->elf for readers of sections and keeps it open. Returns false when that is not
// possible.
bool image_keep_elf(struct image *image);

// Returns a new descriptor that gives all bytes of the image, or -1 when that is not possible.
int image_reopen(const struct image *image);

// Copies file bytes [offset, offset + length); returns false when some of them are missing.
bool image_read(const struct image *image, uint64_t offset, void *to, size_t length);

// These convert a file offset to a link-time address and back, by the PT_LOAD segment that holds
// it. They return false when no segment does.
bool image_vaddr(const struct image *image, uint64_t offset, uint64_t *vaddr);
bool image_offset(const struct image *image, uint64_t vaddr, uint64_t *offset);

// Returns the bytes of .debug_frame, which live as long as the image; NULL when there are none.
const unsigned char *image_debug_frame(struct image *image, size_t *size);

// Returns whether both images have a build id and it is the same.
bool image_same_build(const struct image *a, const struct image *b);

// Writes the build id in lower-case hex; "" when there is none.
void image_build_id_hex(const struct image *image, char text[2 * BUILD_ID_MAX + 1]);
