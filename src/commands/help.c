// SPDX-License-Identifier: MIT
#include "commands/help.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

#define WIDTH 80
#define OPTION_COLUMN 25  // first column of the text of an option
#define EXAMPLE_COLUMN 42 // first column of the text of an example

// Appends the syntax of an option: "-d, --duration=TIME", choices without a name as
// "a|b|c".
static void put_option_syntax(const struct option *option, struct buf *out)
{
    if (option->letter)
        buf_printf(out, "-%c, ", option->letter);
    else
        buf_puts(out, "    ");
    buf_printf(out, "--%s", option->name);
    if (!option_takes_value(option))
        return;
    buf_putc(out, '=');
    if (option->argument)
        buf_puts(out, option->argument);
    for (size_t i = 0; !option->argument && option->choices && option->choices[i]; i++)
        buf_printf(out, "%s%s", i ? "|" : "", option->choices[i]);
}

// Prints `left`, and `text` beside it from `column` on, wrapped at WIDTH. If `left` is too long,
// `text` begins on the next line.
static void print_columns(FILE *out, const char *left, const char *text, size_t column)
{
    size_t at = (size_t)fprintf(out, "  %s", left);
    if (at + 2 > column) {
        fputc('\n', out);
        at = 0;
    }
    while (*text) {
        size_t length = strcspn(text, " ");
        if (at > column && at + 1 + length > WIDTH) {
            fputc('\n', out);
            at = 0;
        }
        int gap = at < column ? (int)(column - at) : 1;
        fprintf(out, "%*s%.*s", gap, "", (int)length, text);
        at += (size_t)gap + length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const struct option *option)
{
    AUTO_BUF struct buf left = {0}, text = {0};
    put_option_syntax(option, &left);
    buf_puts(&text, option->help);
    if (option->shown_default)
        buf_printf(&text, " (default: %s)", option->shown_default);
    print_columns(out, left.data, text.data, OPTION_COLUMN);
}

static void print_options(FILE *out, const struct option *options)
{
    fputs("\nOptions:\n", out);
    for (const struct option *option = options; option->name; option++)
        if (!option->hidden)
            print_option(out, option);
    print_option(out, &option_help);
}

static void print_examples(FILE *out, const struct example *examples)
{
    fputs("\nExamples:\n", out);
    for (const struct example *example = examples; example->line; example++)
        print_columns(out, example->line, example->what, EXAMPLE_COLUMN);
}

static void print_commands(FILE *out, const struct command *const *commands)
{
    fputs("\nCommands:\n", out);
    for (; *commands; commands++) {
        AUTO_FREE char *left = xasprintf("%s %s", (*commands)->name, (*commands)->args);
        print_columns(out, left, (*commands)->summary, OPTION_COLUMN);
    }
}

void help_short(const struct command *const *commands, FILE *out)
{
    fputs("ptprof profiles native processes that already run.\n"
          "\n"
          "Usage: ptprof COMMAND [OPTIONS] [ARGUMENTS]\n",
          out);
    print_commands(out, commands);
    fputs("\nptprof COMMAND --help shows a command's options and examples.\n", out);
}

void help_all(const struct command *const *commands, FILE *out)
{
    help_short(commands, out);
    fputs("\nExamples:\n", out);
    for (size_t i = 0; commands[i]; i++) {
        const struct example *first = commands[i]->examples;
        print_columns(out, first->line, first->what, EXAMPLE_COLUMN);
    }
    print_options(out, command_global_options);
    fputs("\nThe whole manual: man ptprof\n", out);
}

void help_command(const struct command *command, FILE *out)
{
    fprintf(out, "Usage: ptprof %s [OPTIONS] %s\n\n", command->name, command->args);
    fprintf(out, "%c%s.\n", toupper((unsigned char)*command->summary), command->summary + 1);
    print_examples(out, command->examples);
    print_options(out, command->options);
    if (command->details)
        fprintf(out, "\n%s", command->details);
}

static int run(const struct call *call, struct err *err)
{
    if (!call->count) {
        help_all(call->commands, stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(call->commands, call->operands[0]);
    if (!command)
        return command_status(command_unknown(call->commands, call->operands[0], err));
    help_command(command, stdout);
    return EXIT_DONE;
}

const struct command command_help = {
    .name = "help",
    .args = "[COMMAND]",
    .summary = "show how ptprof or one of its commands is used",
    .operand = OPERAND_COMMAND,
    .most = 1,
    .options = command_no_options,
    .examples =
        (const struct example[]){
            {"ptprof help attach", "all options of attach"},
            {NULL, NULL},
        },
    .run = run,
};
