// SPDX-License-Identifier: MIT
#include "commands/serve_options.h"

#include <string.h>

#include "base/mem.h"
#include "serve/ask.h"
#include "serve/front/guard.h"
#include "serve/rule.h"

const struct serve_options serve_options_defaults = {.settings = {SERVE_DEFAULTS}};

// Numbered as in enum ask_what.
static const char *const type_words[] = {
#define X(name, word, text) [ASK_##name] = word,
    ASK_TYPES(X)
#undef X
    NULL,
};

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
    {"allowed-hosts", 0, OPTION_STRING, "NAMES", AT(http.allowed_hosts),
     .help = "names under which it may be asked beside its addresses, with commas; *: any"},
    {"connections", 0, OPTION_INTEGER, "COUNT", AT(http.connections_most), .least = 1,
     .most = 10000, .help = "most connections", .shown_default = "1200"},
    {"connections-per-address", 0, OPTION_INTEGER, "COUNT", AT(http.connections_per_address),
     .least = 1, .most = 10000, .help = "most from one address beyond this machine",
     .shown_default = "64"},
    {"streams", 0, OPTION_INTEGER, "COUNT", AT(http.streams_most), .least = 0, .most = 1000,
     .help = "most pages that follow at one time", .shown_default = "100"},
    {"header-time", 0, OPTION_DURATION, "DURATION", AT(http.header_time),
     .help = "how long the header of a request may take; its body thrice, its reply 12 times",
     .shown_default = "10s"},

    // who may ask
    {"password-file", 0, OPTION_FILE, "FILE", AT(access.password_file),
     .help = "ask for user and password: lines USER:HASH, as crypt(3) or htpasswd -B has it"},
    {"token-file", 0, OPTION_FILE, "FILE", AT(access.token_file),
     .help = "ask for a bearer token, or for it as a password: a token a line"},
    {"no-auth", 0, OPTION_SWITCH, NULL, AT(access.none),
     .help = "let anybody ask who reaches an address beyond this machine"},
    {"socket-users", 0, OPTION_STRING, "USERS", AT(access.socket_users),
     .help = "who else may connect to unix:PATH, with commas; *: anybody"},
    {"tls-certificate", 0, OPTION_FILE, "FILE", AT(tls.certificate),
     .help = "serve HTTPS with this certificate and what it is signed by, PEM"},
    {"tls-key", 0, OPTION_FILE, "FILE", AT(tls.key), .help = "its private key, PEM"},
    {"insecure-http", 0, OPTION_SWITCH, NULL, AT(access.plain),
     .help = "take passwords and tokens without TLS, from beyond this machine too"},
    {"allow-actions", 0, OPTION_SWITCH, NULL, AT(access.actions),
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
     .help = "read proportional memory so often, of small processes; 0s: never",
     .shown_default = "5m"},
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
    {"descriptors-warning", 0, OPTION_PERCENT, "PERCENT", AT(health.descriptors_warning),
     .least = 0, .most = 100, .help = "of its limit of descriptors: a target is degraded",
     .shown_default = "80"},
    {"descriptors-critical", 0, OPTION_PERCENT, "PERCENT", AT(health.descriptors_critical),
     .least = 0, .most = 100, .help = "of its limit of descriptors: a target is unhealthy",
     .shown_default = "95"},
    {"trend", 0, OPTION_DURATION, "TIME", AT(health.trend),
     .help = "length of history at least for a leak or growth to be told",
     .shown_default = "5m"},
    {"deadlock-interval", 0, OPTION_DURATION, "TIME", AT(health.look),
     .help = "look so often for deadlocks", .shown_default = "30s"},
    {NULL},
};

// A path that no request has, because such requests are refused or lead elsewhere, is a mistake.
static enum rc check_prefix(const char *prefix, struct err *err)
{
    static const char *const taken[] = {"/targets/", "/pid/", "/name/"};
    struct header_guard guard = {0};
    guard_target(&guard, prefix);
    if (*prefix != '/')
        return err_set(err, RC_USAGE, "--prefix: a path begins with /");
    if (prefix[strlen(prefix) - 1] == '/')
        return err_set(err, RC_USAGE, "--prefix: no / at the end: /debug/pprof");
    if (prefix[strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-._~/")])
        return err_set(err, RC_USAGE, "--prefix: only letters, digits and - . _ ~ / are in a path");
    if (guard.status)
        return err_set(err, RC_USAGE, "--prefix: %s", guard.text);
    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++)
        if (strncmp(prefix, taken[i], strlen(taken[i])) == 0)
            return err_set(err, RC_USAGE, "--prefix: what is below %s is a target", taken[i]);
    return RC_OK;
}

enum rc serve_options_check(const struct serve_settings *settings, struct err *err)
{
    for (size_t i = 0; i < settings->targets.rules.count; i++) {
        struct target_rule *rule = NULL;
        enum rc rc = rule_parse(settings->targets.rules.texts[i], "--match", &rule, err);
        rule_free(rule);
        if (rc != RC_OK)
            return rc;
    }
    enum rc rc = check_prefix(settings->http.prefix, err);
    if (rc != RC_OK)
        return rc;
    if (!settings->tls.certificate != !settings->tls.key)
        return err_set(err, RC_USAGE, "--tls-certificate and --tls-key need each other");
    if (settings->health.memory_warning > settings->health.memory_critical ||
        settings->health.threads_warning > settings->health.threads_critical ||
        settings->health.descriptors_warning > settings->health.descriptors_critical)
        return err_set(err, RC_USAGE, "what is critical is less than what is a warning");
    if (settings->profiles.usual > settings->profiles.longest)
        return err_set(err, RC_USAGE, "--profile-duration is more than --profile-longest");
    return RC_OK;
}
