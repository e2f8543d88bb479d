// SPDX-License-Identifier: MIT
// Values of options: from texts, wherever these come from (the command line, a file, the
// environment), and back.
#pragma once

#include "base/buf.h"
#include "commands/option.h"

// Sets the value that `value` points to; of a list it adds one. The text stays borrowed where the
// kind says so. Fails with RC_USAGE and what is wrong, without the name of the option.
enum rc option_set(const struct option *option, void *value, const char *text,
                   struct err *err) MUST_CHECK;

// Appends the value as option_set takes it; "" for a text that is not set. Not for flags, counts,
// places and lists.
void option_show(const struct option *option, const void *value, struct buf *out);

// Copies a value; a list gets an array of its own in place of what it had. Not for flags, counts
// and places.
void option_copy(const struct option *option, void *to, const void *from);

// Frees the lists in a struct of options.
void option_fini(const struct option *options, void *values);
