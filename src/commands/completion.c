// SPDX-License-Identifier: MIT
#include "commands/completion.h"

#include <stdio.h>
#include <string.h>

void completion_put_quoted(const char *text, const char *specials)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (strchr(specials, *text))
            putchar('\\');
        putchar(*text);
    }
}

void completion_put_words(const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        printf("%s%s", i ? " " : "", words[i]);
}

void completion_put_commands(const struct command *const *commands)
{
    for (size_t i = 0; commands[i]; i++)
        printf("%s%s", i ? " " : "", commands[i]->name);
}

void completion_each_option(const struct command *command, const struct option *options,
                                option_visitor visit)
{
    for (const struct option *option = options; option->name; option++)
        if (!option->hidden)
            visit(command, option);
    visit(command, &option_help);
}

static const char *const shell_names[] = {"bash", "zsh", "fish", NULL};
static void (*const printers[])(const struct command *const *commands) = {
    completion_bash,
    completion_zsh,
    completion_fish,
};

static int run(const struct call *call, struct err *err)
{
    for (size_t i = 0; shell_names[i]; i++) {
        if (strcmp(call->operands[0], shell_names[i]) == 0) {
            printers[i](call->commands);
            return EXIT_DONE;
        }
    }
    return command_status(
        err_set(err, RC_USAGE, "completion is there for bash, zsh and fish only"));
}

const struct command command_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .summary = "print a script that completes the command line in a shell",
    .operand = OPERAND_CHOICE,
    .choices = shell_names,
    .least = 1,
    .most = 1,
    .options = command_no_options,
    .examples =
        (const struct example[]){
            {"source <(ptprof completion bash)", "for this shell"},
            {"ptprof completion fish | source", "the same in fish"},
            {NULL, NULL},
        },
    .run = run,
};
