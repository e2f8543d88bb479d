// SPDX-License-Identifier: MIT
#include "commands/completion.h"

#include <stdio.h>

static const char fish_head[] =
    "# fish completion of ptprof, made by: ptprof completion fish\n"
    "function __ptprof_pids\n"
    "    for dir in /proc/*\n"
    "        string match -qr '^/proc/[0-9]+$' -- $dir; and test -O $dir -a -e $dir/exe\n"
    "        or continue\n"
    "        set -l comm (string replace -ar '[^[:alnum:]._+-]' '?' <$dir/comm 2>/dev/null)\n"
    "        printf '%s\\t%s\\n' (string replace /proc/ '' $dir) \"$comm\"\n"
    "    end\n"
    "end\n"
    "\n"
    "function __ptprof_in\n"
    "    set -l words (commandline -opc)\n"
    "    test \"$words[2]\" = \"$argv[1]\"\n"
    "end\n"
    "\n"
    "complete -c ptprof -f\n";

static void fish_option(const struct command *command, const struct option *option)
{
    printf("complete -c ptprof -n '__ptprof_in \"%s\"'", command ? command->name : "");
    if (option->letter)
        printf(" -s %c", option->letter);
    printf(" -l %s", option->name);
    if (option->choices) {
        fputs(" -x -a '", stdout);
        completion_put_words(option->choices);
        putchar('\'');
    } else if (option_takes_value(option)) {
        fputs(option->kind == OPTION_FILE ? " -r -F" : " -x", stdout);
    }
    fputs(" -d '", stdout);
    completion_put_quoted(option->help, "\\");
    fputs("'\n", stdout);
}

static void fish_operands(const struct command *const *commands, const struct command *command)
{
    if (command->operand == OPERAND_FILE) {
        printf("complete -c ptprof -n '__ptprof_in %s' -F\n", command->name);
        return;
    }
    printf("complete -c ptprof -n '__ptprof_in %s' -a '", command->name);
    if (command->operand == OPERAND_PID)
        fputs("(__ptprof_pids)", stdout);
    else if (command->operand == OPERAND_COMMAND)
        completion_put_commands(commands);
    else
        completion_put_words(command->choices);
    fputs("'\n", stdout);
}

void completion_fish(const struct command *const *commands)
{
    fputs(fish_head, stdout);
    completion_each_option(NULL, command_global_options, fish_option);
    for (size_t i = 0; commands[i]; i++) {
        printf("complete -c ptprof -n '__ptprof_in \"\"' -a %s -d '", commands[i]->name);
        completion_put_quoted(commands[i]->summary, "\\");
        fputs("'\n", stdout);
        completion_each_option(commands[i], commands[i]->options, fish_option);
        fish_operands(commands, commands[i]);
    }
}
