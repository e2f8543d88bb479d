// SPDX-License-Identifier: MIT
// ptprof config prints the settings that ptprof serve would have with the same command line, as a
// configuration file, and where each comes from.
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/command.h"
#include "commands/option_value.h"
#include "commands/serve_layers.h"
#include "serve/access.h"
#include "serve/listeners.h"

#define VALUE_COLUMN 40 // of the comments

static char *origin_of(const struct serve_layers *layers, size_t row)
{
    AUTO_FREE char *variable = serve_layers_variable(serve_options_table[row].name);
    AUTO_FREE char *path = layers->path ? escape_text_dup(layers->path) : NULL;
    switch (layers->origins[row].layer) {
    case LAYER_FILE:
        return xasprintf("%s:%u", path, layers->origins[row].line);
    case LAYER_ENVIRONMENT:
        return xstrdup(variable);
    case LAYER_FLAG:
        return xasprintf("--%s", serve_options_table[row].name);
    case LAYER_USUAL:
        break;
    }
    return xstrdup("default");
}

static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    escape_json(out, text);
    buf_putc(out, '"');
}

// Appends what follows "name:"; false: there is no value.
static bool put_value(const struct option *option, const void *value, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    if (option->kind == OPTION_LIST) {
        const struct text_list *list = value;
        buf_puts(out, "[");
        for (size_t i = 0; i < list->count; i++) {
            buf_puts(out, i ? ", " : "");
            put_quoted(out, list->texts[i]);
        }
        buf_puts(out, "]");
        return list->count;
    }
    option_show(option, value, &text);
    if (option->kind == OPTION_STRING || option->kind == OPTION_FILE)
        put_quoted(out, text.length ? text.data : "");
    else
        buf_printf(out, option->kind == OPTION_SET ? "[%s]" : "%s", text.length ? text.data : "");
    bool unset = option->kind == OPTION_DURATION && !*(const int64_t *)value;
    return (text.length || option->kind == OPTION_SET) && !unset;
}

static void put_row(const struct serve_layers *layers, size_t row, struct buf *out)
{
    const struct option *option = &serve_options_table[row];
    const void *value = (const char *)&layers->options + option->offset;
    AUTO_FREE char *origin = origin_of(layers, row);
    AUTO_BUF struct buf line = {0}, text = {0};
    bool is_set = put_value(option, value, &text) ||
                  (option->kind == OPTION_LIST && layers->origins[row].layer != LAYER_USUAL);
    if (is_set)
        buf_printf(&line, "%s: %s", option->name, text.data);
    else
        buf_printf(&line, "# %s:", option->name);
    buf_printf(out, "%-*s # %s\n", VALUE_COLUMN, line.data, origin);
}

static void put_settings(const struct serve_layers *layers, struct buf *out)
{
    buf_puts(out, "# Settings of ptprof serve; what is not set stands behind a #.\n");
    for (size_t i = 0; serve_options_table[i].name; i++)
        if (serve_options_table[i].offset != offsetof(struct serve_options, config))
            put_row(layers, i, out);
}

static enum rc put_target(const char *operand, struct buf *out, struct err *err)
{
    pid_t pid;
    enum rc rc = command_pid(operand, &pid, err);
    if (rc == RC_OK)
        buf_printf(out, "# Process %d is a target by the command line.\n", (int)pid);
    return rc;
}

// What a server opens and reads when it begins can be wrong too.
static enum rc check(const struct serve_settings *settings, struct err *err)
{
    struct listeners listeners;
    struct access access = {0};
    enum rc rc = listeners_check(&listeners, settings->http.listen, err);
    if (rc == RC_OK)
        rc = access_open(&access, settings, &listeners, err);
    access_close(&access);
    return rc;
}

static int config_run(const struct call *call, struct err *err)
{
    struct serve_layers layers = {0};
    AUTO_BUF struct buf text = {0};
    enum rc rc = serve_layers_read(&layers, call->options, call->given, err);
    if (rc == RC_OK)
        rc = check(&layers.options.settings, err);
    if (rc == RC_OK) {
        put_settings(&layers, &text);
        AUTO_FREE char *doubts = serve_layers_doubts();
        if (doubts)
            buf_printf(&text, "# %s\n", doubts);
        for (size_t i = 0; i < call->count && rc == RC_OK; i++)
            rc = put_target(call->operands[i], &text, err);
    }
    if (rc == RC_OK)
        fputs(text.data, stdout);
    serve_layers_fini(&layers);
    return command_status(rc);
}

const struct command command_config = {
    .name = "config",
    .args = "[PID...] [--match RULE]...",
    .summary = "print the settings that ptprof serve would have, and where each comes from",
    .operand = OPERAND_PID,
    .most = SIZE_MAX,
    .options = serve_options_table,
    .defaults = &serve_options_defaults,
    .options_size = sizeof serve_options_defaults,
    .examples =
        (const struct example[]){
            {"ptprof config", "what the usual file and the environment say"},
            {"ptprof config --config new.yaml", "whether a file is well-formed, and what it says"},
            {NULL, NULL},
        },
    .run = config_run,
};
