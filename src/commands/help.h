// SPDX-License-Identifier: MIT
// Usage texts are made from the tables of commands and options. They are 80 columns wide.
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "commands/command.h"

// Prints the help for a call without arguments: usage, two examples, the commands.
void help_short(const struct command *const *commands, FILE *out);
void help_all(const struct command *const *commands, FILE *out);
void help_command(const struct command *command, FILE *out);
