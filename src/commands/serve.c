// SPDX-License-Identifier: MIT
// ptprof serve answers over HTTP what Go programs answer about themselves, for any process.
#include <stdlib.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/serve_options.h"
#include "serve/collector.h"

static int serve_run(const struct call *call, struct err *err)
{
    const struct serve_options *options = call->options;
    struct serve_settings settings = options->settings;
    AUTO_FREE pid_t *pids = xcalloc(call->count + 1, sizeof *pids);
    enum rc rc = serve_options_check(&settings, err);
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
    .args = "[PID...] [--match RULE]...",
    .summary = "answer over HTTP what Go programs answer at /debug/pprof, for any process",
    .operand = OPERAND_PID,
    .least = 0,
    .most = SIZE_MAX,
    .options = serve_options_table,
    .defaults = &serve_options_defaults,
    .options_size = sizeof serve_options_defaults,
    .examples =
        (const struct example[]){
            {"ptprof serve 4242", "at http://127.0.0.1:6060"},
            {NULL},
        },
    .run = serve_run,
};
