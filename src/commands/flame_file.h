// SPDX-License-Identifier: MIT
// The file of a flame graph: its name, its form, and how it is written.
#pragma once

#include "commands/output_file.h"
#include "output/flame.h"

enum flame_format { FLAME_HTML, FLAME_SVG };

extern const char *const flame_format_names[]; // [enum flame_format], ends in NULL

struct flame_file {
    char *path; // NULL: standard output; owned
    enum flame_format format;
};

// Chooses path and form. output: NULL is a name made of the profile's source, "-" standard output.
// format: -1, or the form whatever the name is. Fails with RC_USAGE if the name ends in neither.
enum rc flame_file_choose(struct flame_file *file, const char *output, int format,
                          const char *source, struct err *err) MUST_CHECK;
void flame_file_fini(struct flame_file *file);

// Writes it, and says on standard error where it is if that is a file; quiet: it does not. Fails as
// flame_page_write and output_file_begin do.
enum rc flame_file_write(const struct flame_file *file, const struct flame_request *request,
                         bool quiet, struct err *err) MUST_CHECK;
