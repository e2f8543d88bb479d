// SPDX-License-Identifier: MIT
#include "commands/serve_options.h"

const struct serve_options serve_options_defaults = {.settings = {SERVE_DEFAULTS}};

// The first of enum ask_what.
static const char *const type_words[] = {"profile", "wall", "block", "mutex", "goroutine",
                                         "threadcreate", "heap", "trace", NULL};

#define AT(field) .offset = offsetof(struct serve_options, settings.field)

const struct option serve_options_table[] = {
    // which processes
    {"match", 'm', OPTION_LIST, "RULE", AT(targets.rules),
     .help = "processes that a rule takes, now and later; may be given several times"},
    {"max-targets", 0, OPTION_INTEGER, "N", AT(targets.most), .least = 1, .most = 100000,
     .help = "look at so many processes that rules take at most", .shown_default = "1000"},
    {"match-interval", 0, OPTION_DURATION, "TIME", AT(targets.interval),
     .help = "look so often for new processes that rules take", .shown_default = "2s"},
    {"keep-ended", 0, OPTION_DURATION, "TIME", AT(targets.listed),
     .help = "list processes for so long after their end", .shown_default = "10m"},

    // where it listens
    {"listen", 'l', OPTION_STRING, "ADDRESS", AT(http.listen),
     .help = "where to listen, several with commas: 127.0.0.1:6060, [::1]:6060, unix:PATH",
     .shown_default = "127.0.0.1:6060"},
    {"prefix", 0, OPTION_STRING, "PATH", AT(http.prefix),
     .help = "of the paths that Go programs have", .shown_default = "/debug/pprof"},
    {"config", 'c', OPTION_FILE, "FILE", .offset = offsetof(struct serve_options, config),
     .help = "configuration file (YAML)", .shown_default = "/etc/ptprof/ptprof.yaml, if it exists"},
    {"allowed-host", 0, OPTION_LIST, "NAME", AT(http.allowed_hosts),
     .help = "name of this host that requests may be for; may be given several times",
     .shown_default = "addresses and localhost"},
    {"max-connections", 0, OPTION_INTEGER, "N", AT(http.most_connections), .least = 1, .most = 4096,
     .help = "so many connections at one time at most", .shown_default = "1024"},
    {"tls-certificate", 0, OPTION_FILE, "FILE", AT(http.certificate),
     .help = "certificate with its chain, PEM: HTTPS"},
    {"tls-key", 0, OPTION_FILE, "FILE", AT(http.key), .help = "key of the certificate, PEM"},
    {"insecure-http", 0, OPTION_SWITCH, NULL, AT(http.insecure),
     .help = "listen at addresses that others can reach without TLS"},

    // who may ask
    {"password-file", 0, OPTION_FILE, "FILE", AT(auth.password_file),
     .help = "users and hashes of passwords, lines of user:hash as crypt(3) makes them"},
    {"token-file", 0, OPTION_FILE, "FILE", AT(auth.token_file),
     .help = "bearer tokens, one a line"},
    {"no-auth", 0, OPTION_SWITCH, NULL, AT(auth.none),
     .help = "answer whoever can reach an address that is not this host's own"},
    {"allow-actions", 0, OPTION_SWITCH, NULL, AT(auth.actions),
     .help = "allow requests that change a target"},

    // how targets are sampled
    {"disable", 0, OPTION_SET, "TYPE,...", AT(profiles.off), .choices = type_words,
     .help = "kinds of profiles that are refused: profile, wall, block, mutex, goroutine, "
             "threadcreate, heap, trace",
     .shown_default = "none"},
    {"rate", 'r', OPTION_NUMBER, "HZ", AT(profiles.rate), .least = 0.1, .most = 10000,
     .help = "samples per second of each running thread", .shown_default = "99"},
    {"profile-duration", 0, OPTION_DURATION, "TIME", AT(profiles.usual),
     .help = "of a CPU profile whose length nobody asked for", .shown_default = "30s"},
    {"profile-longest", 0, OPTION_DURATION, "TIME", AT(profiles.longest),
     .help = "longest profile that may be asked for", .shown_default = "5m"},
    {"min-block", 0, OPTION_DURATION, "TIME", AT(profiles.min_block),
     .help = "leave out of block what waits less on average", .shown_default = "none"},
    {"keep-waits", 0, OPTION_DURATION, "TIME", AT(profiles.linger_waits),
     .help = "count waits for so long after somebody asked for block or mutex",
     .shown_default = "5m"},
    {"keep-views", 0, OPTION_DURATION, "TIME", AT(profiles.linger_views),
     .help = "sample for so long after a page last asked", .shown_default = "10s"},
    {"max-runs", 0, OPTION_INTEGER, "N", AT(profiles.runs_most), .least = 1, .most = 4096,
     .help = "sample so many processes at one time at most", .shown_default = "64"},

    // figures
    {"metrics-interval", 0, OPTION_DURATION, "TIME", AT(metrics.interval),
     .help = "read figures of targets so often", .shown_default = "2s"},
    {"metrics-pss-interval", 0, OPTION_DURATION, "TIME", AT(metrics.pss_interval),
     .help = "read proportional memory so often", .shown_default = "1m"},
    {"metrics-history", 0, OPTION_INTEGER, "N", AT(metrics.kept), .least = 1, .most = 1e6,
     .help = "keep so many readings of each target", .shown_default = "1000"},

    // health
    {"memory-warning", 0, OPTION_PERCENT, "PERCENT", AT(health.memory_warning), .least = 0,
     .most = 100, .help = "of its memory limit: a target is degraded", .shown_default = "75"},
    {"memory-critical", 0, OPTION_PERCENT, "PERCENT", AT(health.memory_critical), .least = 0,
     .most = 100, .help = "of its memory limit: a target is unhealthy", .shown_default = "90"},
    {"threads-warning", 0, OPTION_INTEGER, "N", AT(health.threads_warning), .least = 1,
     .most = 1e9, .help = "with so many threads a target is degraded", .shown_default = "5000"},
    {"threads-critical", 0, OPTION_INTEGER, "N", AT(health.threads_critical), .least = 1,
     .most = 1e9, .help = "with so many threads a target is unhealthy", .shown_default = "10000"},
    {NULL},
};

enum rc serve_options_check(const struct serve_settings *settings, struct err *err)
{
    if (*settings->http.prefix != '/')
        return err_set(err, RC_USAGE, "--prefix: a path begins with /");
    if (!settings->http.certificate != !settings->http.key)
        return err_set(err, RC_USAGE, "--tls-certificate and --tls-key need each other");
    if (settings->health.memory_warning > settings->health.memory_critical ||
        settings->health.threads_warning > settings->health.threads_critical)
        return err_set(err, RC_USAGE, "what is critical is less than what is a warning");
    if (settings->profiles.usual > settings->profiles.longest)
        return err_set(err, RC_USAGE, "--profile-duration is more than --profile-longest");
    return RC_OK;
}
