// SPDX-License-Identifier: MIT
// An ELF file put together from what a process has loaded of it: for files that are deleted, cannot
// be read, or have no section headers. It holds the program headers and what they lead to (build
// id, unwind tables, code, constants) and sections for the symbols of PT_DYNAMIC. All of its
// contents are written by the target.
#pragma once

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
