// SPDX-License-Identifier: MIT
// An ELF file put together from what is loaded of it in a process: for files that are gone, cannot
// be read, or have no section headers left. It holds the program headers and what they lead to
// (build id, unwind tables, code, constants) and sections for the symbols of PT_DYNAMIC. Everything
// in it was written by the target.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/image.h"

struct memory_source { // the memory of a process
    void *context;
    // Copies what is there from `address` up, at most `length` bytes; how many that were.
    size_t (*read)(void *context, uint64_t address, void *to, size_t length);
};

// `base` is where the first page of the file lies. RC_FORMAT: no ELF header of this machine's class
// there; RC_FAIL: no room.
enum rc memory_image_open(const struct memory_source *source, uint64_t base, struct image **image,
                          struct err *err) MUST_CHECK;

// The bytes [start, end) as a file: the vdso, which is whole in memory.
enum rc memory_image_copy(const struct memory_source *source, uint64_t start, uint64_t end,
                          struct image **image, struct err *err) MUST_CHECK;

// The memory of a process that runs; the context is the number of a thread, which must outlive it.
struct memory_source memory_source_of(pid_t *tid);
