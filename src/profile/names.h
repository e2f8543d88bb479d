// SPDX-License-Identifier: MIT
// What the locations of a profile are called, as functions: looked up once, when first asked for.
// Functions are told apart by name and module, not by address.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/module.h"
#include "profile/store.h"
#include "symbol/fetcher.h"

struct function {
    uint64_t id;        // of (name, module): the same in every moment of a run and in the next run
    const char *name;   // demangled; raw bytes of the target, escape before printing
    const char *system_name; // as in the symbol table
    const char *module; // last component of its path, raw; "" of some entries of our own
    const char *path;   // of the module, raw
    bool unnamed;       // the name is where it begins, "libc.so.6+0x65100": it has no other one
};

struct name_frame {
    uint32_t function; // number of the function in these names
    bool inlined;      // into the frame that follows
    const char *file;  // "": not known
    uint32_t line;     // 0: not known
    uint64_t offset;   // of the location, in the module's file
};

#define NAME_FRAMES_MAX 64 // of a location: what is inlined deeper is left out

struct name_span { // of frames, innermost inlined function first; never empty
    const struct name_frame *frames;
    size_t count;
};

struct names;

// The names of the locations of one store; what is handed over is borrowed. The store may grow
// meanwhile: a location is called by its module until names_update brings its name. `lock` is held
// while the modules are looked at, never while names are fetched.
struct names *names_new(const struct modules *modules, struct symbolizer *symbolizer,
                        struct fetcher *fetcher, pthread_mutex_t *lock);

// Brings the names of all locations of the profile, if that takes no longer than it may (false: it
// does, and they come with a later call). Rows made before and after do not mix.
bool names_update(struct names *names, const struct profile *profile, int milliseconds);

// Names that are given: for profiles read from a text.
struct names *names_new_given(void);
const char *names_text(struct names *names, const char *text); // a copy that lives as long
uint32_t names_give(struct names *names, const char *function, const char *module);
void names_give_frames(struct names *names, uint32_t location, const struct name_frame *frames,
                       size_t count);

// Shared by the moments of a run: freed by the last names_unref.
struct names *names_ref(struct names *names);
void names_unref(struct names *names);

// The frames of a location; what is returned is valid until the next call for one not yet known.
struct name_span names_frames(struct names *names, const struct profile *profile,
                              uint32_t location);
const struct function *names_function(const struct names *names, uint32_t function);
size_t names_function_count(const struct names *names);

// Which frames of the node's location are the first of their functions from the root on: bit i is
// frame i. A function counts there in the total of a stack, and nowhere else in it.
uint64_t names_outermost(struct names *names, const struct profile *profile, uint32_t node);

// The number of the function with this name and no module: an entry of our own.
uint32_t names_entry(struct names *names, const char *name);

// The number of the function with this id, or UINT32_MAX.
uint32_t names_find(const struct names *names, uint64_t id);
