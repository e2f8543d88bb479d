// SPDX-License-Identifier: MIT
// Scripts that complete the command line, one printer a shell. PIDs are those of the user's own
// processes, with their names as a hint; names are the target's, so what is not harmless in every
// shell and on every terminal becomes "?". Private to the completion command.
#pragma once

#include "commands/command.h"

// All of them print to stdout.
void completion_bash(const struct command *const *commands);
void completion_zsh(const struct command *const *commands);
void completion_fish(const struct command *const *commands);

// What stands between single quotes of any of the three shells, with a backslash before each of
// `specials`.
void completion_put_quoted(const char *text, const char *specials);

// Words between blanks.
void completion_put_words(const char *const *words);
void completion_put_commands(const struct command *const *commands);

// The options of a table and then --help. command: passed on, NULL for the global ones.
typedef void (*option_visitor)(const struct command *command, const struct option *option);
void completion_each_option(const struct command *command, const struct option *options,
                            option_visitor visit);
