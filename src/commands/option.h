// SPDX-License-Identifier: MIT
// One table of options a command: it drives the parser, --help, the completion scripts, and the
// test that the man page lists the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum option_kind {     // and what lies at `offset`
    OPTION_FLAG,       // bool
    OPTION_COUNT,      // unsigned: how often it was given
    OPTION_STRING,     // const char *, borrowed from argv, never empty
    OPTION_FILE,       // the same, completed as a path
    OPTION_DURATION,   // int64_t, ns
    OPTION_NUMBER,     // double, within least..most
    OPTION_INTEGER,    // uint64_t, within least..most
    OPTION_CHOICE,     // int (or an enum): index into choices
};

struct option {
    const char *name; // without dashes; NULL ends a table
    char letter;      // 0: none
    enum option_kind kind;
    const char *argument; // what --help calls the value; NULL: takes none, or `choices` say it
    size_t offset;        // of the value in the command's structure of options
    const char *const *choices; // ends in NULL
    double least, most;
    const char *help;
    const char *shown_default; // NULL: none is shown
    bool hidden; // for tests: in no help, completion or manual
};

// Every command has it, after its own table.
extern const struct option option_help;

bool option_takes_value(const struct option *option);

struct parsed {
    char **operands; // what is no option, in order; the front of argv, ends in NULL
    size_t count;
    bool help; // -h or --help was there; then nothing else of the line counts
};

// Parses the words of argv (ends in NULL; holds neither the program's nor the command's name) as
// GNU does: --name=value, --name value, -xvalue, -x value, bundled flags, options before and after
// operands, "--" ends them. The last one given wins. Names cannot be shortened: that would make
// every new option break somebody's script. `values` holds the defaults and takes the values.
// RC_USAGE for the first mistake.
enum rc option_parse(const struct option *options, void *values, char **argv,
                     struct parsed *parsed, struct err *err) MUST_CHECK;
