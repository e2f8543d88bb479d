// SPDX-License-Identifier: MIT
// ptprof serve answers over HTTP what Go programs answer about themselves, for any process.
#include <stdlib.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/serve_layers.h"
#include "serve/collector.h"
#include "serve/log.h"
#include "serve/notify.h"

struct serving { // what a server is made from, and made from again
    const struct call *call;
    pid_t *pids; // owned
    struct serve_layers layers, next; // what is in force, and what may come after it
};

static enum rc read_settings(struct serving *serving, struct serve_layers *layers,
                             struct serve_settings *settings, struct err *err)
{
    const struct call *call = serving->call;
    enum rc rc = serve_layers_read(layers, call->options, call->given, err);
    *settings = layers->options.settings;
    settings->targets.pids = serving->pids;
    settings->targets.pid_count = call->count;
    return rc;
}

static enum rc reload(void *context, struct serve_settings *settings, struct err *err)
{
    struct serving *serving = context;
    enum rc rc = read_settings(serving, &serving->next, settings, err);
    if (rc != RC_OK)
        serve_layers_fini(&serving->next);
    return rc;
}

static void settle(void *context, bool taken)
{
    struct serving *serving = context;
    serve_layers_fini(taken ? &serving->layers : &serving->next);
    if (taken)
        serving->layers = serving->next;
    serving->next = (struct serve_layers){0};
}

static void tell_doubts(void)
{
    AUTO_FREE char *doubts = serve_layers_doubts();
    if (doubts)
        log_line(LOG_LEVEL_WARNING, "%s", doubts);
}

static enum rc serve(struct serving *serving, struct err *err)
{
    const struct call *call = serving->call;
    const struct collector_host host = {.reload = reload, .settle = settle, .context = serving};
    struct serve_settings settings;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < call->count && rc == RC_OK; i++)
        rc = command_pid(call->operands[i], &serving->pids[i], err);
    if (rc == RC_OK)
        rc = read_settings(serving, &serving->layers, &settings, err);
    if (rc != RC_OK)
        return rc;
    notify_begin();
    tell_doubts();
    return collector_run(&settings, &host, err);
}

static int serve_run(const struct call *call, struct err *err)
{
    struct serving serving = {.call = call, .pids = xcalloc(call->count + 1, sizeof(pid_t))};
    enum rc rc = serve(&serving, err);
    serve_layers_fini(&serving.layers);
    free(serving.pids);
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
            {"ptprof serve --config ptprof.yaml", "as a file says"},
            {NULL},
        },
    .run = serve_run,
};
