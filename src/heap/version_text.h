// SPDX-License-Identifier: MIT
// The release of an allocator, as a text among the constants of the module whose data it keeps.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

// Returns whether the version beside the mark at `at` was written to `text`, of `size` bytes. The
// constants [start, end) may be looked at.
typedef bool version_reader(const char *at, const char *start, const char *end, char *text,
                            size_t size);

// Looks for `mark` in the constants of the module whose data holds `address`, until what stands
// there is a version. False: there is none, and `text` is "".
bool version_text_find(struct heap_target *target, uint64_t address, const char *mark,
                       version_reader *read, char *text, size_t size);

// Returns whether the mark stands among those constants.
bool version_text_mark(struct heap_target *target, uint64_t address, const char *mark);

// Copies digits and dots from `at` on; false when that is no version.
bool version_text_digits(const char *at, const char *end, char *text, size_t size);

// Writes the version of glibc, "2.36", that stands among the constants of the module at an address.
bool version_text_glibc(struct heap_target *target, uint64_t address, char *text, size_t size);
