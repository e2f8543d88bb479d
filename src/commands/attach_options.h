// SPDX-License-Identifier: MIT
// The command line of `ptprof attach`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/terminal.h"
#include "collect/session.h"
#include "commands/option.h"

enum attach_summary { SUMMARY_TEXT, SUMMARY_JSON };

struct attach_options {
    struct session_options session;
    int64_t duration;   // ns; 0: until interrupted
    unsigned types;     // set of 1 << index into attach_type_names; 0: not given
    const char *output; // NULL: not given; "-": standard output
    const char *output_dir; // NULL: not given
    const char *flamegraph; // file; NULL: none is drawn
    int format;         // index into attach_format_names; -1: the ending of the output says it
    bool quiet, force, report;
    unsigned verbose;
    enum color_mode color;
    int64_t checkpoint; // ns from one to the next
    double min_quality; // percent of stacks that must be complete; 0: any
    enum attach_summary summary;
};

extern const struct attach_options attach_defaults;
extern const struct option attach_options[];
extern const char *const attach_type_names[];   // those of [enum profile_kind], and others
// Of output/writer.h and output/trace.h; ends in NULL.
extern const char *const attach_format_names[];

// Returns the types that are asked for: a set of PROFILE_BIT, never empty.
unsigned attach_options_types(const struct attach_options *options);

// Returns the directory that files go to. The caller frees it.
char *attach_options_directory(const struct attach_options *options);

// Checks what concerns several options. Fails with RC_USAGE.
enum rc attach_options_check(const struct attach_options *options, struct err *err) MUST_CHECK;
