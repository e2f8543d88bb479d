// SPDX-License-Identifier: MIT
// What code a target has mapped. Three layers:
//   module   one file (device, inode), the vdso, a region of anonymous code, or a name of our own;
//   mapping  one executable line of maps, the same for all processes: (module, offset, size). Its
//            number and a file offset are how a pc is remembered: true after dlclose, across runs;
//   space    the address space of one process image: which mapping lies at which address now.
// All of it belongs to the main process, and to one thread of it.
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
    MODULE_ANON,    // memory that its process fills with code. Offsets are addresses
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
    char *problem;       // why there is no image, it was read from memory, or code that its
                         // process made has no names; else NULL
    struct image *debug; // its separate debug file, NULL: not asked for yet, or there is none
    bool debug_sought;
    bool in_memory;      // the image is what is loaded of the file, not the file
    struct jit *jit;     // the names of MODULE_ANON code, NULL: of no process
    size_t names_known;  // of jit, how many are meant; SIZE_MAX: all
};

struct mapping {
    uint32_t id; // index in the table; the first one is 0
    struct module *module;
    uint64_t start, end, offset; // addresses as first seen, file offset of start
};

struct modules;

struct modules *modules_new(void);
void modules_free(struct modules *modules);
size_t modules_count(const struct modules *modules); // of modules
struct module *modules_get(const struct modules *modules, uint32_t id);
size_t modules_mapping_count(const struct modules *modules);
const struct mapping *modules_mapping(const struct modules *modules, uint32_t id);

// The mapping that stands for a name of our own (kind MODULE_KERNEL, MODULE_ANON or
// MODULE_SPECIAL); made when first asked for.
const struct mapping *modules_special(struct modules *modules, enum module_kind kind,
                                      const char *name);

// The names that a process gives to code it makes. The modules own it.
struct jit *modules_jit_new(struct modules *modules, pid_t pid);

// The mapping of such code: one for each process and kind of memory ("[anon]", the path of a
// memfd), and a new one each time that memory was given new names (see jit_refresh).
const struct mapping *modules_jit(struct modules *modules, struct jit *jit, const char *name);
void modules_jit_moved(struct modules *modules, const struct jit *jit, size_t names_known);

// Nothing more will be read of the names: the modules can say why they have none.
void modules_jit_finished(struct modules *modules, const struct jit *jit);

// The mapping that holds the code of the main program of the first target, or NULL.
const struct mapping *modules_main(const struct modules *modules);

struct area { // one mapping as it lies in one process
    uint64_t start, end;
    const struct mapping *mapping;
    uint64_t device, inode, shift; // of its line of maps; shift: start less offset
    bool copied;               // that is no file's line, but what lies there equals the module
    uint64_t bias;             // address less link-time address, when the module has an image
    uint64_t extent_start, extent_end; // of all segments of the module; empty without an image
    int64_t true_at; // CLOCK_MONOTONIC ns: it lay there then, and no later time is known
    int64_t since;   // it had taken another one's place by then; 0: of none that is known
    int64_t before;  // when that one was last known to be there
};

struct space;

// pid may be any thread of the process (a zombie leader's maps are empty, its threads' are not).
struct space *space_new(struct modules *modules, pid_t pid, pid_t tid);
void space_free(struct space *space);

// Reads the maps again, of the same image. *changed says whether an area is gone or another one
// lies in its place (additions alone do not count: what was cached of the old ones stays true).
// RC_GONE: the image is; what is known of it stays.
enum rc space_refresh(struct space *space, pid_t tid, bool *changed) MUST_CHECK;

// As maps_image_number (process/maps.h), when the space was made.
uint64_t space_image(const struct space *space);

// Whether the maps are still true of the address, as far as that can be told: asked of the kernel,
// unless it is known to have been so at `time` (CLOCK_MONOTONIC ns) or later.
bool space_is_true(struct space *space, uint64_t address, int64_t time);

// What lay at the address at that time cannot be told: now one, earlier another one, and when they
// changed places is not known well enough.
bool space_is_doubtful(const struct space *space, uint64_t address, int64_t time);

// Nothing is known: the process is gone, or the thread asked was a leader that has ended.
bool space_is_empty(const struct space *space);

// The area that holds the address, or NULL.
const struct area *space_find(const struct space *space, uint64_t address);

// The same, and the offset by which the pc is remembered: that in its file; the pc itself in code
// that its process made, and where nothing is known.
const struct area *space_locate(const struct space *space, uint64_t pc, uint64_t *offset);

// An area of the module in whose segments, code or data, the address lies, or NULL.
const struct area *space_find_module(struct space *space, uint64_t address);

// The mapping by which a pc in the area is to be remembered, seen to run just now: of code that the
// process made, as it is called now.
const struct mapping *space_mapping(struct space *space, const struct area *area, uint64_t pc);

// The names of such code are complete: nothing more will be sampled.
void space_finish(struct space *space);

// Copies constant memory of the target (code, unwind tables) from the images held here, at its
// address there; false when it is not all known. Nothing is asked of the target.
bool space_read(struct space *space, uint64_t address, void *to, size_t length);

// Copies code that is in no image (the process made it, or its file is of another kind) from memory
// as it is now: how many bytes, at most `length`; 0 elsewhere.
size_t space_read_made(const struct space *space, uint64_t address, void *to, size_t length);

struct unwind_sections { // addresses in the target and sizes; size 0: there is none
    uint64_t eh_frame_hdr, eh_frame_hdr_size;
    uint64_t eh_frame, eh_frame_size;
};

struct debug_frame { // of the module that holds a pc
    uint64_t start, end; // the area
    uint64_t bias;
    const unsigned char *bytes; // owned by the module; NULL: it has none
    size_t size;
};

// False when no module is known at pc. It may be that of the separate debug file.
bool space_debug_frame(const struct space *space, uint64_t pc, struct debug_frame *frame);

// The unwind tables of the module around pc; false when it has none.
bool space_unwind_sections(const struct space *space, uint64_t pc,
                           struct unwind_sections *sections);
