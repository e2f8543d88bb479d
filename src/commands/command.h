// SPDX-License-Identifier: MIT
// A command is a file and a row of the table in main.c: options -> run -> exit status.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "commands/option.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_GONE = 3,    // no such process, or it ended before one sample
    EXIT_DENIED = 4,  // a permission is missing, or another tracer has it
    EXIT_QUALITY = 5, // the profile is written, and worse than --min-quality
    EXIT_GREW = 6,    // something grew by more than --fail-over
};

enum operand_kind { OPERAND_PID, OPERAND_COMMAND, OPERAND_CHOICE, OPERAND_FILE };

struct example {
    const char *line, *what;
};

struct command;

struct call {
    const struct command *const *commands; // all commands, ends in NULL
    const void *options;                   // the command's own struct
    char **operands;                       // ends in NULL
    size_t count;
    uint64_t given; // as in struct parsed
};

struct command {
    const char *name;
    const char *args;    // as in the usage line: "PID..."
    const char *summary; // one line, lower case, without a full stop
    const char *details; // further text of --help, NULL or lines that each end in a newline
    enum operand_kind operand;
    const char *const *choices; // with OPERAND_CHOICE, ends in NULL
    size_t least, most;         // number of operands
    const struct option *options; // ends in a row without a name
    const void *defaults; // struct of options before parsing; NULL with options_size 0
    size_t options_size;
    const struct example *examples; // at least one; ends in a line of NULL
    // Returns an enum exit_status (command_status converts an enum rc). main prints the text in
    // err.
    int (*run)(const struct call *call, struct err *err);
};

extern const struct option command_no_options[];
extern const struct option command_global_options[]; // allowed in place of a command
extern const struct command command_attach, command_check, command_completion, command_config,
    command_convert, command_diff, command_dump_threads, command_fetch, command_flamegraph,
    command_heap, command_help, command_memory, command_merge, command_report, command_serve,
    command_top, command_view;

const struct command *command_find(const struct command *const *commands, const char *name);

// "there is no command 'atach'; did you mean attach?"
enum rc command_unknown(const struct command *const *commands, const char *name, struct err *err)
    MUST_CHECK;

// Returns the exit status for an error of this kind.
int command_status(enum rc rc);

// Parses a PID above 0. Fails with RC_USAGE.
enum rc command_pid(const char *text, pid_t *pid, struct err *err) MUST_CHECK;

// Runs the command line and returns the exit status. argv ends in NULL and begins with the name of
// the program; its order may change. The caller prints the text in err.
int command_main(const struct command *const *commands, char **argv, struct err *err);
