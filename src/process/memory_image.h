// SPDX-License-Identifier: MIT
// An ELF file put together from what a process has loaded of it: for files that are deleted, cannot
// be read, or have no section headers. It holds the program headers and what they lead to (build
// id, unwind tables, code, constants) and sections for the symbols of PT_DYNAMIC. All of its
// contents are written by the target.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/image.h"

struct memory_source { // the memory of a process
    void *context;
    // Copies what is mapped from `address` up, at most `length` bytes, and returns how many.
    size_t (*read)(void *context, uint64_t address, void *to, size_t length);
};

#define MEMORY_IMAGE_COPY_MAX (256ull << 20) // bytes of memory that are copied at most

struct memory_host { // what building an image needs: memory, and a file to write it to
    void *context;
    size_t (*read)(void *context, uint64_t address, void *to, size_t length);
    // Copies memory to a place in the file, up to the first page that is not mapped.
    bool (*copy)(void *context, uint64_t address, uint64_t offset, uint64_t length);
    bool (*put)(void *context, uint64_t offset, const void *bytes, size_t length);
};

// Builds the file. Returns RC_FORMAT when there is no ELF header at `base`, and RC_FAIL when the
// file could not be written.
enum rc memory_image_build(const struct memory_host *host, uint64_t base) MUST_CHECK;

// Has files built by build(host, base), which returns the same; with NULL they are built in this
// process.
void memory_image_build_by(enum rc (*build)(const struct memory_host *host, uint64_t base));

// `base` is the address of the file's first page. RC_FORMAT: there is no ELF header of this
// machine's class; RC_FAIL: the file could not be written.
enum rc memory_image_open(const struct memory_source *source, uint64_t base, struct image **image,
                          struct err *err) MUST_CHECK;

// Makes an image of the bytes [start, end): for the vdso, which is a complete ELF file in memory.
enum rc memory_image_copy(const struct memory_source *source, uint64_t start, uint64_t end,
                          struct image **image, struct err *err) MUST_CHECK;

// Returns the memory of a running process. *tid is the number of a thread; it must outlive the
// source.
struct memory_source memory_source_of(pid_t *tid);
