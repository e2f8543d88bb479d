// SPDX-License-Identifier: MIT
// Usage texts, made from the tables of commands and options; 80 columns wide.
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "commands/command.h"

// What no arguments at all get: usage, two examples, the commands.
void help_short(const struct command *const *commands, FILE *out);
void help_all(const struct command *const *commands, FILE *out);
void help_command(const struct command *command, FILE *out);

// "-d, --duration=TIME": how the option is written, choices as "a|b|c".
void help_option_syntax(const struct option *option, struct buf *out);
