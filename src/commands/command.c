// SPDX-License-Identifier: MIT
#include "commands/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "commands/help.h"
#include "commands/option_value.h"

const struct option command_no_options[] = {{NULL}};

struct global_options {
    bool version;
};
const struct option command_global_options[] = {
    {"version", 0, OPTION_FLAG, .offset = offsetof(struct global_options, version),
     .help = "show the version"},
    {NULL},
};

int command_status(enum rc rc)
{
    static const int statuses[] = {
        [RC_OK] = EXIT_DONE,
        [RC_USAGE] = EXIT_USAGE,
        [RC_GONE] = EXIT_GONE,
        [RC_DENIED] = EXIT_DENIED,
        [RC_BUSY] = EXIT_DENIED,
    };
    bool known = rc == RC_OK || ((size_t)rc < ARRAY_LENGTH(statuses) && statuses[rc]);
    return known ? statuses[rc] : EXIT_FAILED;
}

const struct command *command_find(const struct command *const *commands, const char *name)
{
    for (; *commands; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

enum rc command_unknown(const struct command *const *commands, const char *name, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(name);
    struct suggestion suggestion = suggestion_for(name);
    for (; *commands; commands++)
        suggestion_consider(&suggestion, (*commands)->name);
    if (suggestion.best)
        return err_set(err, RC_USAGE, "there is no command '%s'; did you mean %s?", shown,
                       suggestion.best);
    err_set(err, RC_USAGE, "there is no command '%s'", shown);
    if (name[strspn(name, "0123456789")])
        err_add(err, "  ptprof help lists them");
    else
        err_add(err, "  a command comes before the PID: ptprof attach %s, ptprof top %s", shown,
                shown);
    return RC_USAGE;
}

enum rc command_pid(const char *text, pid_t *pid, struct err *err)
{
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    long number = digits && !text[digits] ? strtol(text, NULL, 10) : 0;
    AUTO_FREE char *shown = escape_text_dup(text);
    if (number <= 0)
        return err_set(err, RC_USAGE, "'%s' is not a PID; write a process number", shown);
    if (errno || number > INT_MAX)
        return err_set(err, RC_USAGE, "'%s' is more than any PID", shown);
    *pid = (pid_t)number;
    return RC_OK;
}

static enum rc check_count(const struct command *command, const struct parsed *parsed,
                           struct err *err)
{
    if (parsed->count >= command->least && parsed->count <= command->most)
        return RC_OK;
    if (parsed->count > command->most) {
        AUTO_FREE char *shown = escape_text_dup(parsed->operands[command->most]);
        err_set(err, RC_USAGE, "%s: '%s' is one word too many", command->name, shown);
    } else {
        err_set(err, RC_USAGE, "%s: %s is missing", command->name, command->args);
    }
    err_add(err, "  ptprof %s --help says what it takes", command->name);
    return RC_USAGE;
}

static int run_command(const struct command *const *commands, const struct command *command,
                       char **words, struct err *err)
{
    AUTO_FREE void *options = xmalloc(command->options_size);
    if (command->options_size)
        memcpy(options, command->defaults, command->options_size);
    struct parsed parsed;
    enum rc rc = option_parse(command->options, options, words, &parsed, err);
    const struct call call = {commands, options, parsed.operands, parsed.count, parsed.given};
    int status = EXIT_DONE;
    if (rc == RC_OK && parsed.help)
        help_command(command, stdout);
    else if (rc != RC_OK || (rc = check_count(command, &parsed, err)) != RC_OK)
        status = command_status(rc);
    else
        status = command->run(&call, err);
    option_fini(command->options, options);
    return status;
}

static int run_global(const struct command *const *commands, char **words, struct err *err)
{
    struct global_options options = {0};
    struct parsed parsed;
    enum rc rc = option_parse(command_global_options, &options, words, &parsed, err);
    if (rc) {
        err_add(err, "  a command comes first: ptprof COMMAND [OPTIONS] [ARGUMENTS]");
        return command_status(rc);
    }
    const struct command *command = parsed.count ? command_find(commands, words[0]) : NULL;
    if (parsed.help && command)
        help_command(command, stdout);
    else if (parsed.help)
        help_all(commands, stdout);
    else if (options.version)
        printf("ptprof %s\n", PTPROF_VERSION);
    else {
        help_short(commands, stderr);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int command_main(const struct command *const *commands, char **argv, struct err *err)
{
    char **words = *argv ? argv + 1 : argv;
    if (!*words || **words == '-')
        return run_global(commands, words, err);
    const struct command *command = command_find(commands, *words);
    if (!command)
        return command_status(command_unknown(commands, *words, err));
    return run_command(commands, command, words + 1, err);
}
