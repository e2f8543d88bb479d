// SPDX-License-Identifier: MIT
// The functions of a plain profile, told apart by name and module and not by address, and the
// frames of its locations: looked at once, when they are added.
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

// Their texts live as long as the names do. Shared by the moments of a run: freed by the last
// names_unref.
struct names *names_new(void);
struct names *names_ref(struct names *names);
void names_unref(struct names *names);

// Adds the next location, or looks again at one that is there and has got other lines since. Rows
// made before and after do not mix.
void names_add(struct names *names, const struct plain_profile *profile, uint32_t location);

// A function that no location has; module: a path. A text: a copy that lives as long.
uint32_t names_give(struct names *names, const char *function, const char *module);
const char *names_text(struct names *names, const char *text);

// The frames of a location that has been added.
struct name_span names_frames(const struct names *names, uint32_t location);
const struct function *names_function(const struct names *names, uint32_t function);
size_t names_function_count(const struct names *names);

// Which frames of the node's location are the first of their functions from the root on: bit i is
// frame i. A function counts there in the total of a stack, and nowhere else in it. The node is of
// a profile whose locations are these and whose nodes keep their numbers.
uint64_t names_outermost(struct names *names, const struct plain_profile *profile, uint32_t node);

// The number of the function with this id, or UINT32_MAX.
uint32_t names_find(const struct names *names, uint64_t id);
