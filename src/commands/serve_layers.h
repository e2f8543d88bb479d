// SPDX-License-Identifier: MIT
// The settings of a server come in four layers, and the later one counts: what is usual, the
// configuration file, the environment, the command line. A list is replaced as a whole.
#pragma once

#include "commands/serve_options.h"

#define SERVE_CONFIG_USUAL "/etc/ptprof/ptprof.yaml" // read if it exists and none is named
#define SERVE_ROWS_MOST 64

enum layer { LAYER_USUAL, LAYER_FILE, LAYER_ENVIRONMENT, LAYER_FLAG };

struct serve_layers { // zeroed: there is nothing in it
    struct serve_options options; // what is in force
    struct {
        enum layer layer;
        unsigned line; // LAYER_FILE
    } origins[SERVE_ROWS_MOST]; // of each row of serve_options_table
    char *path;  // of the file that was read, owned; NULL: none
    struct text_list texts; // owned texts, which the options borrow
};

// Puts them together. flags: the options of the command line, of which those in the set `given`
// (struct parsed) were given. Fails with RC_USAGE and the place of what is wrong.
enum rc serve_layers_read(struct serve_layers *layers, const struct serve_options *flags,
                          uint64_t given, struct err *err) MUST_CHECK;
void serve_layers_fini(struct serve_layers *layers);

// Returns a text of variables of the environment that are nearly settings; NULL: there are none.
// The caller frees it.
char *serve_layers_doubts(void);

// Returns the name of the variable for an option; the caller frees it.
char *serve_layers_variable(const char *option);
