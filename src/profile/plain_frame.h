// SPDX-License-Identifier: MIT
// People read a plain profile as frames: one for each line of a location, and one for a location
// that nobody looked up.
#pragma once

#include "profile/plain.h"

struct plain_frame {
    const char *name;   // raw bytes, may be ""
    const char *module; // last component of its path; "": none is known
    const char *file;   // "": not known
    uint32_t name_text, module_text; // the same as numbers: together they tell functions apart
    uint32_t file_text;
    int64_t line, column; // 0: not known
    uint64_t offset;    // of the location in its mapping's file, else its address
    bool unnamed;       // the name is only where the function begins, "libc.so.6+0x65100"
    bool inlined;       // into the frame behind it
    bool made;          // code that its process made, and named
};

// Returns how many frames a location has, at least one.
size_t plain_frame_count(const struct plain_profile *profile, uint32_t location);

// Returns a frame of a location; the innermost inlined function is frame 0.
struct plain_frame plain_frame(const struct plain_profile *profile, uint32_t location,
                               size_t number);
