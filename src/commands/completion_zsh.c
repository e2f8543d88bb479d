// SPDX-License-Identifier: MIT
#include "commands/completion.h"

#include <stdbool.h>
#include <stdio.h>

static const char zsh_head[] =
    "#compdef ptprof\n"
    "# zsh completion of ptprof, made by: ptprof completion zsh\n"
    "_ptprof_pids()\n"
    "{\n"
    "    local dir comm\n"
    "    local -a pids\n"
    "    for dir in /proc/[0-9]*(/NU); do\n"
    "        [[ -e $dir/exe ]] || continue\n"
    "        { read -r comm <$dir/comm } 2>/dev/null || continue\n"
    "        pids+=(\"${dir:t}:${comm//[^[:alnum:]._+-]/?}\")\n"
    "    done\n"
    "    _describe process pids\n"
    "}\n"
    "\n"
    "_ptprof_commands()\n"
    "{\n"
    "    local -a commands=(\n";

static const char zsh_middle[] = "    )\n"
                                 "    _describe command commands\n"
                                 "}\n"
                                 "\n"
                                 "_ptprof()\n"
                                 "{\n"
                                 "    local command=\n"
                                 "    if ((CURRENT > 2)); then\n"
                                 "        command=$words[2]\n"
                                 "        shift words\n"
                                 "        ((CURRENT--))\n"
                                 "    fi\n"
                                 "    case $command in\n";

// The script works both in $fpath and sourced.
static const char zsh_tail[] = "    esac\n"
                               "}\n"
                               "if [[ $funcstack[1] == _ptprof ]]; then\n"
                               "    _ptprof \"$@\"\n"
                               "else\n"
                               "    compdef _ptprof ptprof\n"
                               "fi\n";

static void zsh_option(const struct command *command, const struct option *option)
{
    (void)command;
    bool takes_value = option_takes_value(option);
    fputs(" \\\n            ", stdout);
    if (option->letter && option->kind == OPTION_COUNT)
        printf("'*'{-%c,--%s}'[", option->letter, option->name);
    else if (option->letter)
        printf("'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter,
               takes_value ? "+" : "", option->name, takes_value ? "=" : "");
    else
        printf("'--%s%s[", option->name, takes_value ? "=" : "");
    completion_put_quoted(option->help, "[]:\\");
    putchar(']');
    if (option->choices) {
        printf(":%s:(", option->name);
        completion_put_words(option->choices);
        putchar(')');
    } else if (takes_value) {
        printf(":%s:%s", option->argument, option->kind == OPTION_FILE ? "_files" : " ");
    }
    putchar('\'');
}

static void zsh_operands(const struct command *command)
{
    fputs(" \\\n            ", stdout);
    if (command->operand == OPERAND_PID)
        printf("'*:process:_ptprof_pids'");
    else if (command->operand == OPERAND_FILE)
        printf("'*:profile:_files'");
    else if (command->operand == OPERAND_COMMAND)
        printf("'::command:_ptprof_commands'");
    else if (command->operand == OPERAND_CHOICE) {
        printf("':%s:(", command->name);
        completion_put_words(command->choices);
        fputs(")'", stdout);
    }
    fputs(" ;;\n", stdout);
}

void completion_zsh(const struct command *const *commands)
{
    fputs(zsh_head, stdout);
    for (size_t i = 0; commands[i]; i++) {
        printf("        '%s:", commands[i]->name);
        completion_put_quoted(commands[i]->summary, ":\\");
        fputs("'\n", stdout);
    }
    fputs(zsh_middle, stdout);
    for (size_t i = 0; commands[i]; i++) {
        printf("    %s)\n        _arguments -s -S", commands[i]->name);
        completion_each_option(commands[i], commands[i]->options, zsh_option);
        zsh_operands(commands[i]);
    }
    fputs("    *)\n        _arguments", stdout);
    completion_each_option(NULL, command_global_options, zsh_option);
    fputs(" \\\n            '1:command:_ptprof_commands' ;;\n", stdout);
    fputs(zsh_tail, stdout);
}
