// SPDX-License-Identifier: MIT
// The options of a server, one row each: a flag of the command line ("--metrics-interval"),
// a variable of the environment (PTPROF_METRICS_INTERVAL) and a key of the configuration file
// ("metrics-interval", or "interval" within "metrics").
#pragma once

#include "commands/option.h"
#include "serve/settings.h"

struct serve_options {
    struct serve_settings settings;
    const char *config; // path of the configuration file; NULL: the usual one, if there is one
};

extern const struct option serve_options_table[]; // ends in a row without a name
extern const struct serve_options serve_options_defaults;

// Checks what no single row can. Fails with RC_USAGE.
enum rc serve_options_check(const struct serve_settings *settings, struct err *err) MUST_CHECK;
