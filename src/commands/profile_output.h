// SPDX-License-Identifier: MIT
// The profile that a command writes, in the format that the user names or that the ending of the
// file says.
#pragma once

#include <stdbool.h>

#include "commands/output_file.h"

extern const char *const profile_output_formats[]; // choices of --format; ends in NULL

struct profile_output {
    const char *path; // NULL or "-": standard output
    int format;       // index into profile_output_formats; -1: the ending of the path says it
    bool force;       // as output_file_check has it
};

// The rows of an option table for a struct that has a member `output`. AT is the macro of that
// table.
#define PROFILE_OUTPUT_OPTIONS                                                                     \
    {"output", 'o', OPTION_FILE, "FILE", AT(output.path),                                          \
     .help = "write here; - is standard output, which is the default of formats that are text"},   \
    {"format", 'f', OPTION_CHOICE, AT(output.format), .choices = profile_output_formats,           \
     .help = "format to write", .shown_default = "by the ending of the file"}

// Chooses the writer and looks whether the file can be written, before anybody's time is spent.
// Fails with RC_USAGE or RC_IO.
enum rc profile_output_choose(const struct profile_output *output, const struct writer **writer,
                              struct err *err) MUST_CHECK;

// Writes the values that the profile shows first, or all of them if the format holds them. Formats
// that are timelines get times that are made up.
enum rc profile_output_write(const struct profile_output *output, const struct writer *writer,
                             const struct plain_profile *profile, struct err *err) MUST_CHECK;
