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
    const char *output; // NULL: not given; "-": standard output
    int format;         // index into attach_format_names; -1: the ending of the output says it
    bool quiet, force;
    unsigned verbose;
    enum color_mode color;
    int64_t checkpoint; // ns from one to the next
    double min_quality; // percent of stacks that must be complete; 0: any
    enum attach_summary summary;
};

extern const struct attach_options attach_defaults;
extern const struct option attach_options[];
extern const char *const attach_format_names[]; // of output/writer.h; ends in NULL

// Checks what concerns several options. Fails with RC_USAGE.
enum rc attach_options_check(const struct attach_options *options, struct err *err) MUST_CHECK;
