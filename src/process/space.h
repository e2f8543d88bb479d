// SPDX-License-Identifier: MIT
// The address space of one process image: which mapping lies at which address now.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/areas.h"
#include "process/module.h"

struct space;

// pid may be any thread of the process; tid is the one whose maps are read (an ended leader has
// none).
struct space *space_new(struct modules *modules, pid_t pid, pid_t tid);
void space_free(struct space *space);

// Reads the maps of the same image again. *changed says whether an area is gone or was replaced;
// added areas do not count, since whatever was cached of the others is still true. RC_GONE: the
// image no longer exists; the space keeps what it knows.
enum rc space_refresh(struct space *space, pid_t tid, bool *changed) MUST_CHECK;

// Has an empty space know what another one knows, of which the process was a copy: it has ended,
// and its own maps can no longer be read.
void space_borrow(struct space *space, const struct space *other);

// Returns what maps_image_number (process/maps.h) was when the space was made.
uint64_t space_image(const struct space *space);

// Returns whether the maps are still true of the address, as far as is known. The kernel is
// asked, unless the area is known to have been there at `time` (CLOCK_MONOTONIC ns) or later.
bool space_is_true(struct space *space, uint64_t address, int64_t time);

// Returns whether it is unknown what lay at the address at `time`: one area replaced another there,
// and the moment of that is not known well enough.
bool space_is_doubtful(const struct space *space, uint64_t address, int64_t time);

// Returns whether nothing is known: the process is gone, or `tid` was a leader that has ended.
bool space_is_empty(const struct space *space);

// Returns the area that holds the address, or NULL.
const struct area *space_find(const struct space *space, uint64_t address);

// Does the same, and gives the offset by which the pc is stored: the one in its file; the pc itself
// for generated code and where nothing is known.
const struct area *space_locate(const struct space *space, uint64_t pc, uint64_t *offset);

// Returns the mapping by which a pc in the area, which was just seen to run, is to be stored. For
// generated code it is the one with the names of now.
const struct mapping *space_mapping(struct space *space, const struct area *area, uint64_t pc);

// Reads the rest of the names of generated code: no more samples will come.
void space_finish(struct space *space);

// Returns where its mappings lie, valid until the space changes.
struct areas *space_areas(struct space *space);

// Copies code that is in no image (generated code, or a file that is not ELF) from the target's
// memory as it is now. Returns how many bytes, at most `length`; 0 for other addresses.
size_t space_read_made(const struct space *space, uint64_t address, void *to, size_t length);

// Opens the separate debug file of the module; the caller owns it. NULL: there is none.
struct image *space_debug_image(const struct space *space, const struct module *module);

// Returns the module with that number, or NULL.
struct module *space_module(const struct space *space, uint32_t number);
