// SPDX-License-Identifier: MIT
// Profile -> bytes. One writer a file; this table is all that the rest of ptprof knows of them.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "profile/plain.h"
#include "profile/run.h"

struct writing { // what is written; all borrowed
    const struct plain_profile *profile;
    const struct run *run; // that it is of; NULL: it came from a file, and nothing is known of it
    bool jit_suffix; // collapsed only: "_[j]" behind the names of code made at run time
};

struct writer {
    const char *name;            // as in --format
    const char *extension;       // what a default file name ends in, ".pb.gz"
    const char *const *endings;  // of file names that mean this format; ends in NULL
    bool binary;                 // never to a terminal
    const char *opens_with;      // "go tool pprof -http=: %s"; NULL: read it
    // RC_IO with errno's text in err when the stream fails; the caller flushes and closes.
    enum rc (*write)(const struct writing *writing, FILE *out, struct err *err);
};

extern const struct writer writers[];
extern const size_t writer_count;

// NULL when there is none.
const struct writer *writer_by_name(const char *name);
const struct writer *writer_by_path(const char *path);

// How the path ends, if that is one of the format's endings, also with ".gz" behind it; else "".
// Points into the path.
const char *writer_ending(const struct writer *writer, const char *path);

// Whether such a path asks for a compressed file of a format that is none by itself.
bool writer_compresses(const struct writer *writer, const char *path);
