// SPDX-License-Identifier: MIT
#include "commands/serve_layers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "commands/option_value.h"
#include "commands/yaml_file.h"

#define PREFIX "PTPROF_"
#define SEPARATOR ";" // of a list in a variable: rules may have commas

static void *value_of(struct serve_options *options, const struct option *option)
{
    return (char *)options + option->offset;
}

static bool is_of_config(const struct option *option)
{
    return option->offset == offsetof(struct serve_options, config);
}

static const char *keep(struct serve_layers *layers, char *text) // which is taken over
{
    text_list_add(&layers->texts, text);
    return text;
}

// A list that has come from another layer is replaced, one of this layer grows.
static enum rc put(struct serve_layers *layers, const struct option *option, const char *text,
                   struct err *err)
{
    return option_set(option, value_of(&layers->options, option), keep(layers, xstrdup(text)),
                      err);
}

static void note(struct serve_layers *layers, const struct option *option, enum layer layer,
                 unsigned line)
{
    size_t row = (size_t)(option - serve_options_table);
    layers->origins[row].layer = layer;
    layers->origins[row].line = line;
}

static enum rc put_list(struct serve_layers *layers, const struct option *option,
                        const struct text_list *values, struct err *err)
{
    enum rc rc = RC_OK;
    text_list_fini(value_of(&layers->options, option));
    for (size_t i = 0; i < values->count && rc == RC_OK; i++)
        rc = put(layers, option, values->texts[i], err);
    return rc;
}

// --- the file ---

// Several values of what is written with commas elsewhere.
static enum rc put_several(struct serve_layers *layers, const struct option *option,
                           const struct text_list *values, struct err *err)
{
    AUTO_BUF struct buf joined = {0};
    if (option->kind == OPTION_SET && !values->count)
        return *(unsigned *)value_of(&layers->options, option) = 0, RC_OK;
    if (option->kind != OPTION_SET && option->kind != OPTION_STRING)
        return err_set(err, RC_USAGE, "takes one value, not a list");
    for (size_t i = 0; i < values->count; i++)
        buf_printf(&joined, "%s%s", i ? "," : "", values->texts[i]);
    return put(layers, option, joined.length ? joined.data : "", err);
}

static enum rc put_values(struct serve_layers *layers, const struct option *option, bool opposite,
                          const struct text_list *values, struct err *err)
{
    if (option->kind == OPTION_LIST)
        return put_list(layers, option, values, err);
    if (values->count != 1)
        return put_several(layers, option, values, err);
    enum rc rc = put(layers, option, values->texts[0], err);
    if (rc == RC_OK && opposite)
        *(bool *)value_of(&layers->options, option) ^= true;
    return rc;
}

static enum rc refuse_key(const char *key, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(key);
    const char *nearest = option_nearest(serve_options_table, key);
    if (nearest)
        return err_set(err, RC_USAGE, "there is no setting '%s'; did you mean %s?", shown, nearest);
    return err_set(err, RC_USAGE, "there is no setting '%s'", shown);
}

static enum rc take_entry(void *context, const struct yaml_entry *entry, struct err *err)
{
    struct serve_layers *layers = context;
    struct err reason = {0};
    bool opposite;
    const struct option *option = option_find(serve_options_table, entry->key, &opposite);
    if (!option)
        return refuse_key(entry->key, err);
    if (is_of_config(option))
        return err_set(err, RC_USAGE, "a configuration does not name another one");
    if (layers->origins[option - serve_options_table].layer == LAYER_FILE)
        return err_set(err, RC_USAGE, "%s comes a second time; the first one is in line %u",
                       option->name, layers->origins[option - serve_options_table].line);
    if (put_values(layers, option, opposite, entry->values, &reason) != RC_OK)
        return err_set(err, RC_USAGE, "%s: %s", entry->key, reason.text);
    note(layers, option, LAYER_FILE, entry->line);
    return RC_OK;
}

static enum rc read_file(struct serve_layers *layers, const char *named, struct err *err)
{
    if (!named && access(SERVE_CONFIG_USUAL, F_OK) != 0)
        return RC_OK;
    layers->path = xstrdup(named ? named : SERVE_CONFIG_USUAL);
    return yaml_file_read(layers->path, take_entry, layers, err);
}

// --- the environment ---

char *serve_layers_variable(const char *option)
{
    char *name = xasprintf(PREFIX "%s", option);
    for (char *byte = name; *byte; byte++)
        *byte = (char)(*byte == '-' ? '_' : toupper((unsigned char)*byte));
    return name;
}

static enum rc take_variable(struct serve_layers *layers, const struct option *option,
                             const char *text, struct err *err)
{
    if (option->kind != OPTION_LIST)
        return put(layers, option, text, err);
    AUTO_FREE char *copy = xstrdup(text);
    struct text_list values = {0};
    char *rest = copy;
    for (char *each; (each = strsep(&rest, SEPARATOR));)
        if (*(each += strspn(each, " \n")))
            text_list_add(&values, each);
    enum rc rc = put_list(layers, option, &values, err);
    text_list_fini(&values);
    return rc;
}

static const char *variable_value(const struct option *option, char **name)
{
    *name = serve_layers_variable(option->name);
    const char *text = getenv(*name);
    return text && *text ? text : NULL;
}

static enum rc take_environment(struct serve_layers *layers, struct err *err)
{
    for (const struct option *option = serve_options_table; option->name; option++) {
        AUTO_FREE char *name = NULL;
        struct err reason = {0};
        const char *text = variable_value(option, &name);
        if (!text)
            continue;
        enum rc rc = take_variable(layers, option, text, &reason);
        if (rc != RC_OK)
            return err_set(err, rc, "%s: %s", name, reason.text);
        note(layers, option, LAYER_ENVIRONMENT, 0);
    }
    return RC_OK;
}

// Others may use the prefix too (a service called ptprof has Kubernetes set PTPROF_PORT), so only
// what looks like a mistake is told.
char *serve_layers_doubts(void)
{
    AUTO_BUF struct buf doubts = {0};
    for (char **at = environ; *at; at++) {
        size_t length = strcspn(*at, "=");
        if (strncmp(*at, PREFIX, strlen(PREFIX)) != 0)
            continue;
        AUTO_FREE char *name = xstrndup(*at + strlen(PREFIX), length - strlen(PREFIX));
        for (char *byte = name; *byte; byte++)
            *byte = (char)(*byte == '_' ? '-' : tolower((unsigned char)*byte));
        bool opposite;
        const char *nearest = option_nearest(serve_options_table, name);
        const struct option *option = option_find(serve_options_table, name, &opposite);
        if (!nearest || (option && !opposite))
            continue;
        AUTO_FREE char *meant = serve_layers_variable(nearest);
        AUTO_FREE char *shown = xstrndup(*at, length);
        buf_printf(&doubts, "%sthe variable ", doubts.length ? "; " : "");
        escape_text(&doubts, shown);
        buf_printf(&doubts, " is no setting; %s is one", meant);
    }
    return doubts.length ? xstrdup(doubts.data) : NULL;
}

// --- together ---

// Which file is read the later layers say.
static const char *named_file(struct serve_layers *layers, const struct serve_options *flags)
{
    AUTO_FREE char *name = serve_layers_variable("config");
    const char *text = getenv(name);
    if (flags->config)
        return flags->config;
    return text && *text ? keep(layers, xstrdup(text)) : NULL;
}

static void take_flags(struct serve_layers *layers, const struct serve_options *flags,
                       uint64_t given)
{
    for (size_t i = 0; serve_options_table[i].name; i++) {
        const struct option *option = &serve_options_table[i];
        if (!(given & 1ull << i))
            continue;
        option_copy(option, value_of(&layers->options, option),
                    (const char *)flags + option->offset);
        note(layers, option, LAYER_FLAG, 0);
    }
}

enum rc serve_layers_read(struct serve_layers *layers, const struct serve_options *flags,
                          uint64_t given, struct err *err)
{
    *layers = (struct serve_layers){.options = serve_options_defaults};
    enum rc rc = read_file(layers, named_file(layers, flags), err);
    if (rc == RC_OK)
        rc = take_environment(layers, err);
    if (rc != RC_OK)
        return rc;
    take_flags(layers, flags, given);
    return serve_options_check(&layers->options.settings, err);
}

void serve_layers_fini(struct serve_layers *layers)
{
    option_fini(serve_options_table, &layers->options);
    for (size_t i = 0; i < layers->texts.count; i++)
        free((char *)layers->texts.texts[i]);
    text_list_fini(&layers->texts);
    free(layers->path);
    *layers = (struct serve_layers){0};
}
