// SPDX-License-Identifier: MIT
// What a server is told: the command line, the environment and the configuration file write into
// it, by one table (commands/serve_options.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct serve_settings { // texts are borrowed
    struct {
        const pid_t *pids; // owned by whoever fills it in
        size_t pid_count;
    } targets;
    struct {
        const char *listen; // "127.0.0.1:6060", "[::1]:6060", "unix:PATH"; several with commas
        const char *prefix; // of the paths that Go programs have: "/debug/pprof"
    } http;
    struct {
        double rate;          // Hz
        int64_t longest;      // ns: of a profile
        int64_t linger_waits; // ns: for so long after the last question waits are counted on
    } profiles;
    struct {
        int64_t interval; // ns from one reading to the next
        uint64_t kept;    // readings of each target
    } metrics;
};

#define SERVE_DEFAULTS                                                                             \
    .http = {.listen = "127.0.0.1:6060", .prefix = "/debug/pprof"},                                \
    .profiles = {.rate = 99, .longest = 300ll * NS_PER_S, .linger_waits = 300ll * NS_PER_S},       \
    .metrics = {.interval = 2ll * NS_PER_S, .kept = 1000}
