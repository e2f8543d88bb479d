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

// Which kinds of profiles are answered, as paths of Go's programs call them.
#define SERVED_TYPES(X)                                                                            \
    X(PROFILE, "profile")                                                                          \
    X(HEAP, "heap")                                                                                \
    X(GOROUTINE, "goroutine")                                                                      \
    X(BLOCK, "block")                                                                              \
    X(MUTEX, "mutex")                                                                              \
    X(THREADCREATE, "threadcreate")                                                                \
    X(TRACE, "trace")                                                                              \
    X(WALL, "wall")

enum served_type {
#define X(name, word) SERVED_##name,
    SERVED_TYPES(X)
#undef X
    SERVED_COUNT
};

struct serve_settings { // texts are borrowed; NULL: not given
    struct {            // which processes there are to look at
        const pid_t *pids; // owned by whoever fills it in
        size_t pid_count;
        struct text_list rules; // "comm=nginx"
    } targets;
    struct { // where it listens, and to whom
        const char *listen; // "127.0.0.1:6060", "[::1]:6060", "unix:PATH"; several with commas
        const char *prefix; // of the paths that Go programs have: "/debug/pprof"
        struct text_list allowed_hosts; // names that requests may be for, besides addresses
        uint64_t most_connections;
        const char *certificate, *key; // files of TLS, PEM
        bool insecure_http; // without TLS at addresses that others can reach
    } http;
    struct { // who may ask
        const char *password_file; // lines of "user:crypt(3) hash"
        const char *token_file;    // lines of bearer tokens
        bool none;                 // everybody who reaches it
        bool actions;              // what changes a target may be asked for
    } auth;
    struct { // how targets are sampled
        unsigned types;       // set of 1 << enum served_type
        double rate;          // Hz
        int64_t usual;        // ns: of a profile whose length nobody gave
        int64_t longest;      // ns: of a profile
        int64_t least_block;  // ns: "block" leaves out waits that last less on average; 0: none
        int64_t linger_waits; // ns: for so long after the last question waits are counted on
    } profiles;
    struct { // figures that are read all the time
        int64_t interval;     // ns from one reading to the next
        int64_t pss_interval; // ns from one reading of smaps to the next; 0: never
        uint64_t kept;        // readings of each target
    } metrics;
    struct { // from where on a target is degraded or unhealthy
        double memory_warning, memory_critical; // percent of what it may have
        uint64_t threads_warning, threads_critical;
    } health;
};

#define SERVE_DEFAULTS                                                                             \
    .http = {.listen = "127.0.0.1:6060", .prefix = "/debug/pprof", .most_connections = 1024},      \
    .profiles = {.types = (1u << SERVED_COUNT) - 1,                                                \
                 .rate = 99,                                                                       \
                 .usual = 30ll * NS_PER_S,                                                           \
                 .longest = 300ll * NS_PER_S,                                                        \
                 .linger_waits = 300ll * NS_PER_S},                                                  \
    .metrics = {.interval = 2ll * NS_PER_S, .pss_interval = 60 * NS_PER_S, .kept = 1000},            \
    .health = {.memory_warning = 75,                                                               \
               .memory_critical = 90,                                                              \
               .threads_warning = 5000,                                                            \
               .threads_critical = 10000}
