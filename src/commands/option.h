// SPDX-License-Identifier: MIT
// Each command has one table of options, used by the parser, --help, the completion scripts, and
// the test that the man page lists the same options.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum option_kind {     // type of the value at `offset`
    OPTION_FLAG,       // bool
    OPTION_SWITCH,     // bool; --no-NAME takes it back, and of "no-x" --x does
    OPTION_COUNT,      // unsigned: how often the option was given
    OPTION_STRING,     // const char *, borrowed from argv, never empty
    OPTION_LIST,       // struct text_list, borrowed from argv: each time adds one
    OPTION_FILE,       // like OPTION_STRING, completed as a path
    OPTION_DURATION,   // int64_t, ns
    OPTION_NUMBER,     // double, within least..most
    OPTION_PERCENT,    // the same; "5%" or "5"
    OPTION_INTEGER,    // uint64_t, within least..most
    OPTION_SIZE,       // uint64_t, bytes: "512M", "1G"
    OPTION_CHOICE,     // int (or an enum): index into choices
    OPTION_SET,        // unsigned: set of 1 << index into choices, of words with commas between
    OPTION_PLACE,      // uint64_t: how many operands stand before it; it has no value
};

struct option {
    const char *name; // without dashes; NULL ends a table
    char letter;      // 0: none
    enum option_kind kind;
    const char *argument; // name of the value in --help; NULL: there is no value, or `choices`
    size_t offset;        // of the value in the command's struct of options
    const char *const *choices; // ends in NULL
    double least, most;
    const char *help;
    const char *shown_default; // in --help; NULL: none is shown
    bool hidden; // for tests: not in help, completion or man page
};

// --help, which every command has after the options of its table.
extern const struct option option_help;

bool option_takes_value(const struct option *option);

// Finds the option of that name. *opposite: what was found is a switch that the name takes back.
// NULL: there is none.
const struct option *option_find(const struct option *options, const char *name, bool *opposite);

// Returns the name that was probably meant; NULL: none is near enough.
const char *option_nearest(const struct option *options, const char *name);

struct parsed {
    char **operands; // words that are no options, in order, at the front of argv; ends in NULL
    size_t count;
    uint64_t given; // set of 1 << index of the options that were given; a table has 64 at most
    bool help; // -h or --help was given; then the other fields do not count
};

// Parses argv (ends in NULL, without the names of program and command) as GNU getopt does:
// --name=value, --name value, -xvalue, -x value, bundled flags, options before and after operands,
// "--" ends the options. Of a repeated option the last value counts. Names cannot be abbreviated,
// because then a new option could break scripts. `values` holds the defaults, which are replaced.
// Fails with RC_USAGE and the first mistake.
enum rc option_parse(const struct option *options, void *values, char **argv,
                     struct parsed *parsed, struct err *err) MUST_CHECK;
