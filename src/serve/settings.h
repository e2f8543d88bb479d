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
    struct {
        const pid_t *pids;
        size_t pid_count;
        struct text_list rules; // as serve/rule.h has them
        uint64_t most;    // processes at one time that rules find; more are not looked at
        int64_t interval; // ns from one look for new ones to the next
        int64_t listed;   // ns for which those that have ended stay listed
    } targets;
    struct {
        const char *listen; // "127.0.0.1:6060", "[::1]:6060", "unix:PATH"; several with commas
        const char *prefix; // of the paths that Go programs have: "/debug/pprof"
        const char *allowed_hosts; // names under which it is asked, with commas; "*": any. NULL
        uint64_t connections_most, connections_per_address; // of the second loopback is exempt
        uint64_t streams_most; // of server-sent events
        int64_t header_time;   // ns: so long the header of a request may take;
                               // its body thrice, and the client for the reply 12 times
    } http;
    struct {
        const char *password_file; // lines "user:hash", as crypt(3) has it; NULL: none
        const char *token_file;    // a token a line; NULL: none
        const char *socket_users;  // who else may connect to unix:PATH, with commas; "*": anybody
        bool none;                 // whoever reaches an address may ask
        bool actions;              // who may ask may act on targets too, by POST
        bool plain;                // passwords and tokens may come over HTTP without TLS
    } access;
    struct {
        const char *certificate, *key; // files in PEM; NULL: HTTP without TLS
    } tls;
    struct {
        double rate;          // Hz
        int64_t usual;        // ns: of a profile whose length nobody gave
        int64_t longest;      // ns: of a profile
        int64_t linger_waits; // ns: for so long after the last question waits are counted on
        int64_t linger_views; // ns: the same of sampling for a page
        uint64_t runs_most;   // processes that are sampled, dumped or counted at one time
        unsigned off;         // set of 1 << enum ask_what: what is refused
        int64_t min_block;    // ns: waits that are shorter on average do not count as block
    } profiles;
    struct {
        int64_t interval;     // ns from one reading to the next
        int64_t pss_interval; // ns from one look at smaps of a target to the next; 0: never
        uint64_t kept;        // readings of each target
    } metrics;
    struct { // from where on a target is degraded, and from where on unhealthy
        double memory_warning, memory_critical; // percent of its cgroup's limit, else of the RAM
        uint64_t threads_warning, threads_critical;
        double descriptors_warning, descriptors_critical; // percent of its limit
        int64_t trend; // ns of history at least for a leak or growth to be told
        int64_t look;  // ns from one look for deadlocks to the next
    } health;
};

#define SERVE_DEFAULTS                                                                             \
    .targets = {.most = 1000, .interval = 2ll * NS_PER_S, .listed = 600ll * NS_PER_S},             \
    .http = {.listen = "127.0.0.1:6060", .prefix = "/debug/pprof", .connections_most = 1200,       \
             .connections_per_address = 64, .streams_most = 100,                                   \
             .header_time = 10ll * NS_PER_S},                                                      \
    .profiles = {.rate = 99, .usual = 30ll * NS_PER_S, .longest = 300ll * NS_PER_S,                \
                 .linger_waits = 300ll * NS_PER_S, .linger_views = 10ll * NS_PER_S,                \
                 .runs_most = 64},                                                                 \
    .metrics = {.interval = 2ll * NS_PER_S, .pss_interval = 300ll * NS_PER_S, .kept = 1000},       \
    .health = {.memory_warning = 75, .memory_critical = 90, .threads_warning = 5000,               \
               .threads_critical = 10000, .descriptors_warning = 80, .descriptors_critical = 95,   \
               .trend = 300ll * NS_PER_S, .look = 30ll * NS_PER_S}
