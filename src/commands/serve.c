// SPDX-License-Identifier: MIT
// ptprof serve answers over HTTP what Go programs answer about themselves, for any process.
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/command.h"
#include "serve/collector.h"

static const struct serve_settings defaults = {SERVE_DEFAULTS};

#define AT(field) .offset = offsetof(struct serve_settings, field)

static const struct option serve_options[] = {
    {"listen", 'l', OPTION_STRING, "ADDRESS", AT(http.listen),
     .help = "where to listen, several with commas: 127.0.0.1:6060, [::1]:6060, unix:PATH",
     .shown_default = "127.0.0.1:6060"},
    {"prefix", 0, OPTION_STRING, "PATH", AT(http.prefix),
     .help = "of the paths that Go programs have", .shown_default = "/debug/pprof"},
    {"password-file", 0, OPTION_FILE, "FILE", AT(access.password_file),
     .help = "ask for user and password: lines USER:HASH, as crypt(3) or htpasswd -B has it"},
    {"token-file", 0, OPTION_FILE, "FILE", AT(access.token_file),
     .help = "ask for a bearer token, or for it as a password: a token a line"},
    {"no-auth", 0, OPTION_FLAG, NULL, AT(access.none),
     .help = "let anybody ask who reaches an address beyond this machine"},
    {"socket-users", 0, OPTION_STRING, "USERS", AT(access.socket_users),
     .help = "who else may connect to unix:PATH, with commas; *: anybody"},
    {"tls-certificate", 0, OPTION_FILE, "FILE", AT(tls.certificate),
     .help = "serve HTTPS with this certificate and what it is signed by, PEM"},
    {"tls-key", 0, OPTION_FILE, "FILE", AT(tls.key), .help = "its private key, PEM"},
    {"insecure-http", 0, OPTION_FLAG, NULL, AT(access.plain),
     .help = "take passwords and tokens without TLS, from beyond this machine too"},
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
     .help = "how long the header of a request may take", .shown_default = "10s"},
    {NULL},
};

static int serve_run(const struct call *call, struct err *err)
{
    struct serve_settings settings = *(const struct serve_settings *)call->options;
    AUTO_FREE pid_t *pids = xcalloc(call->count + 1, sizeof *pids);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < call->count && rc == RC_OK; i++)
        rc = command_pid(call->operands[i], &pids[i], err);
    settings.targets.pids = pids;
    settings.targets.pid_count = call->count;
    if (rc == RC_OK)
        rc = collector_run(&settings, err);
    return command_status(rc);
}

const struct command command_serve = {
    .name = "serve",
    .args = "[PID...]",
    .summary = "answer over HTTP what Go programs answer at /debug/pprof, for any process",
    .operand = OPERAND_PID,
    .least = 0,
    .most = SIZE_MAX,
    .options = serve_options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples =
        (const struct example[]){
            {"ptprof serve 4242", "at http://127.0.0.1:6060"},
            {NULL},
        },
    .run = serve_run,
};
