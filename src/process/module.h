// SPDX-License-Identifier: MIT
// What code a target has mapped. Three layers:
//   module   one file (device, inode), the vdso, a region of anonymous code, or a name of our own;
//   mapping  one executable line of maps, the same for all processes: (module, offset, size). Its
//            number and a file offset are how a pc is remembered: true after dlclose, across runs;
//   space    the address space of one process image: which mapping lies at which address now.
// One thread of the main process owns all of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/areas.h"
#include "process/image.h"
#include "process/jit.h"

enum module_kind {
    MODULE_FILE,
    MODULE_VDSO,
    MODULE_ANON,    // memory that its process fills with code; offsets are addresses
    MODULE_KERNEL,  // offsets are system call numbers, or made by symbolizer_kernel_place
    MODULE_SPECIAL, // an entry of our own, such as [unattributed]; offsets mean nothing
};

struct module {
    uint32_t id;
    enum module_kind kind;
    char *path; // raw bytes, " (deleted)" stripped; "[vdso]", "[anon]", "[kernel]", ...
    const char *name; // last component of path, raw bytes
    uint64_t device, inode;
    bool deleted;
    struct image *image; // NULL: not a file, or could not be opened
    char *problem;       // why there is no image, or it was read from memory, or generated
                         // code has no names; else NULL
    struct image *debug; // its separate debug file; NULL: not looked for yet, or there is none
    bool debug_sought;   // by the unwinder
    bool in_memory;      // the image was put together from what is loaded of the file
    struct jit *jit;     // names of MODULE_ANON code; NULL: there are none
    size_t names_known;  // how many names of jit this module uses; SIZE_MAX: all
};

struct mapping {
    uint32_t id; // index in the table, from 0
    struct module *module;
    uint64_t start, end, offset; // addresses as first seen; file offset of start
};

struct modules;

struct modules *modules_new(void);
void modules_free(struct modules *modules);
size_t modules_count(const struct modules *modules); // number of modules
struct module *modules_get(const struct modules *modules, uint32_t id);
size_t modules_mapping_count(const struct modules *modules);
const struct mapping *modules_mapping(const struct modules *modules, uint32_t id);

// Returns the mapping that stands for an entry of our own with that name (kind MODULE_KERNEL,
// MODULE_ANON or MODULE_SPECIAL); the first call makes it.
const struct mapping *modules_special(struct modules *modules, enum module_kind kind,
                                      const char *name);

// Makes the table of names for code that a process generates. The modules own it.
struct jit *modules_jit_new(struct modules *modules, pid_t pid);

// Returns the mapping of such code: one for each process and kind of memory ("[anon]", the path of
// a memfd), and a new one each time that other code replaced it (see jit_refresh).
const struct mapping *modules_jit(struct modules *modules, struct jit *jit, const char *name);
void modules_jit_moved(struct modules *modules, const struct jit *jit, size_t names_known);

// Says that no more names will be read, so the modules can report why they have none.
void modules_jit_finished(struct modules *modules, const struct jit *jit);

// Returns the mapping that holds the code of the first target's executable, or NULL.
const struct mapping *modules_main(const struct modules *modules);

struct space;

// pid may be any thread of the process; tid is the one whose maps are read (an ended leader has
// none).
struct space *space_new(struct modules *modules, pid_t pid, pid_t tid);
void space_free(struct space *space);

// Reads the maps of the same image again. *changed says whether an area is gone or was replaced;
// added areas do not count, since whatever was cached of the others is still true. RC_GONE: the
// image no longer exists; the space keeps what it knows.
enum rc space_refresh(struct space *space, pid_t tid, bool *changed) MUST_CHECK;

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
