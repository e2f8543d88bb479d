// SPDX-License-Identifier: MIT
// The functions of a plain profile, which differ by name and module and not by address, and the
// frames of its locations. Each location is looked at once, when it is added.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/plain.h"

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

#define NAMES_FOLDED 0 // the function that stands for a stack of which nothing was kept, "[folded]"

// Texts live as long as the names, which the moments of a run share. The last names_unref frees
// them.
struct names *names_new(void);
struct names *names_ref(struct names *names);
void names_unref(struct names *names);

// Adds the next location, or looks again at one whose lines have changed. Rows from before and
// after must not be mixed.
void names_add(struct names *names, const struct plain_profile *profile, uint32_t location);

// Add a function that no location has, of a module given by its path, or a text.
uint32_t names_give(struct names *names, const char *function, const char *module);
const char *names_text(struct names *names, const char *text);

// Returns the frames of a location that has been added.
struct name_span names_frames(const struct names *names, uint32_t location);
const struct function *names_function(const struct names *names, uint32_t function);
size_t names_function_count(const struct names *names);

// Bit i of the result says that frame i of the node's location is its function's nearest to the
// root: there, and nowhere else in the stack, the function counts in totals. The profile must be
// one whose locations are these and whose nodes keep their numbers.
uint64_t names_outermost(struct names *names, const struct plain_profile *profile, uint32_t node);

// Returns the number of the function with this id, or UINT32_MAX.
uint32_t names_find(const struct names *names, uint64_t id);
