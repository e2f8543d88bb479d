// SPDX-License-Identifier: MIT
// What a server is told: the command line, the environment and the configuration file write into
// it, by one table (commands/serve_options.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/text_list.h"

struct serve_settings { // texts are borrowed, lists owned by whoever fills them in; NULL: not given
    struct {            // which processes there are to look at
        const pid_t *pids;
        size_t pid_count;
        struct text_list rules; // as serve/rule.h has them
        uint64_t most;          // processes at one time that rules find; more are not looked at
        int64_t interval;       // ns from one look for new ones to the next
        int64_t listed;         // ns for which those that have ended stay listed
    } targets;
    struct { // where it listens, and to whom
        const char *listen; // "127.0.0.1:6060", "[::1]:6060", "unix:PATH"; several with commas
        const char *prefix; // of the paths that Go programs have: "/debug/pprof"
        struct text_list allowed_hosts; // names that requests may be for, besides addresses
        uint64_t most_connections;
        const char *certificate, *key; // files of TLS, PEM
        bool insecure;                 // without TLS at addresses that others can reach
    } http;
    struct { // who may ask
        const char *password_file; // lines of "user:crypt(3) hash"
        const char *token_file;    // lines of bearer tokens
        bool none;                 // everybody who reaches it
        bool actions;              // requests that change a target are allowed
    } auth;
    struct { // how targets are sampled
        double rate;          // Hz
        int64_t usual;        // ns: of a profile whose length nobody gave
        int64_t longest;      // ns: of a profile
        int64_t linger_waits; // ns: for so long after the last question waits are counted on
        int64_t linger_views; // ns: the same of sampling for a page
        uint64_t runs_most;   // processes that are sampled at one time, and looks of other kinds
        unsigned off;         // set of 1 << enum ask_what: what is refused
        int64_t min_block;    // ns: waits that are shorter on average do not count as block
    } profiles;
    struct { // figures that are read all the time
        int64_t interval;     // ns from one reading to the next
        int64_t pss_interval; // ns from one reading of smaps to the next
        uint64_t kept;        // readings of each target
    } metrics;
    struct { // from where on a target is degraded or unhealthy
        double memory_warning, memory_critical; // percent of what it may have
        uint64_t threads_warning, threads_critical;
    } health;
};

#define SERVE_DEFAULTS                                                                             \
    .targets = {.most = 1000, .interval = 2ll * NS_PER_S, .listed = 600ll * NS_PER_S},             \
    .http = {.listen = "127.0.0.1:6060", .prefix = "/debug/pprof", .most_connections = 1024},      \
    .profiles = {.rate = 99,                                                                       \
                 .usual = 30ll * NS_PER_S,                                                         \
                 .longest = 300ll * NS_PER_S,                                                      \
                 .linger_waits = 300ll * NS_PER_S,                                                 \
                 .linger_views = 10ll * NS_PER_S,                                                  \
                 .runs_most = 64},                                                                 \
    .metrics = {.interval = 2ll * NS_PER_S, .pss_interval = 60ll * NS_PER_S, .kept = 1000},        \
    .health = {.memory_warning = 75,                                                               \
               .memory_critical = 90,                                                              \
               .threads_warning = 5000,                                                            \
               .threads_critical = 10000}
