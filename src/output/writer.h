// SPDX-License-Identifier: MIT
// A writer writes a profile in one format. Other modules find writers through this table.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "profile/plain.h"
#include "profile/run.h"
#include "profile/timeline.h"

struct writing { // what is written; all borrowed
    const struct plain_profile *profile;
    const struct run *run; // run that gave the profile; NULL: it was read from a file
    bool jit_suffix; // collapsed only: "_[j]" after names of JIT-compiled code
};

struct writer {
    const char *name;            // value of --format
    const char *extension;       // of default file names: ".pb.gz"
    const char *const *endings;  // endings of file names that select this format; ends in NULL
    bool binary;                 // not written to a terminal
    const char *opens_with;      // viewer: "ptprof view %s"; NULL: none needed
    // Fails with RC_IO if writing to the stream does. The caller flushes and closes the stream.
    enum rc (*write)(const struct writing *writing, FILE *out, struct err *err);
    // The same of a timeline, which is sorted. A writer has one of the two (output/trace.h).
    enum rc (*write_timeline)(const struct timeline *timeline, FILE *out, struct err *err);
};

extern const struct writer writers[];
extern const size_t writer_count;

// Return the writer of that name, or of the ending of the path; NULL if there is none.
const struct writer *writer_by_name(const char *name);
const struct writer *writer_by_path(const char *path);

// Returns the part of the path that is an ending of the format, with ".gz" if that follows, or "".
// It points into the path.
const char *writer_ending(const struct writer *writer, const char *path);

// Says whether the path asks for compression (".gz") of a format that is not compressed by itself.
bool writer_compresses(const struct writer *writer, const char *path);
