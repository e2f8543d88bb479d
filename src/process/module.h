// SPDX-License-Identifier: MIT
// What code a target has mapped, in three layers:
//   module   one file (device, inode), the vdso, a region of anonymous code, or a name of our own;
//   mapping  one executable line of maps, the same for all processes: (module, offset, size). Its
//            number and a file offset are how a pc is remembered: true after dlclose, across runs;
//   space    the address space of one process image (process/space.h).
// One thread of the main process owns all of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
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

// Returns a new mapping that stands for all of a file that no process has mapped. The modules own
// the image.
const struct mapping *modules_unmapped(struct modules *modules, const char *path,
                                       struct image *image);

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
