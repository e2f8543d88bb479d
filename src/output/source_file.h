// SPDX-License-Identifier: MIT
// The text of source files, which a profile names as they were called where the program was built.
// Both the names and the files are hostile: only regular files are opened, and of moderate size.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

struct source_places { // borrowed
    const char *const *directories; // below which sources lie: by as much of the end of a file's
    size_t directory_count;         // path as is found there
    const char *const *trims; // prefixes of files that are only looked for below the directories
    size_t trim_count;
};

struct source_file {
    char *path; // where it was found
    struct timespec changed;
    struct buf text;
    size_t *lines; // where each begins
    size_t line_count;
};

// Finds and reads a file. Fails, with why, when there is none or its text is not one to show.
enum rc source_file_read(struct source_file *file, const struct source_places *places,
                         const char *name, struct err *err) MUST_CHECK;
void source_file_fini(struct source_file *file);

// Appends a line of the file (from 1), or of any text: safe for a terminal, tabs kept, cut when it
// is long. Beyond the end of the file it is "".
void source_file_line(const struct source_file *file, int64_t line, struct buf *out);
