// SPDX-License-Identifier: MIT
// These functions print scripts that complete the command line, one for each shell. PIDs are those
// of the user's own processes, with names as a hint. A process chooses its name, so characters that
// are special to a shell or a terminal become "?". Private to the completion command.
#pragma once

#include "commands/command.h"

// They print to stdout.
void completion_bash(const struct command *const *commands);
void completion_zsh(const struct command *const *commands);
void completion_fish(const struct command *const *commands);

// Prints text for between single quotes of any of the three shells, with a backslash before each
// character of `specials`.
void completion_put_quoted(const char *text, const char *specials);

// Prints words with a blank between them.
void completion_put_words(const char *const *words);
void completion_put_commands(const struct command *const *commands);

// Visits the options of a table and then --help. command: passed on, NULL for global options.
typedef void (*option_visitor)(const struct command *command, const struct option *option);
void completion_each_option(const struct command *command, const struct option *options,
                            option_visitor visit);
