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
