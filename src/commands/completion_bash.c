// SPDX-License-Identifier: MIT
#include "commands/completion.h"

#include <stdio.h>

static const char bash_head[] =
    "# bash completion of ptprof, made by: ptprof completion bash\n"
    "_ptprof_pids()\n"
    "{\n"
    "    local dir comm\n"
    "    for dir in /proc/[0-9]*; do\n"
    "        [[ ${dir#/proc/} == \"$1\"* && -O $dir && -e $dir/exe ]] || continue\n"
    "        { read -r comm <\"$dir/comm\"; } 2>/dev/null || continue\n"
    "        printf '%s\\n' \"${dir#/proc/} (${comm//[^[:alnum:]._+-]/?})\"\n"
    "    done\n"
    "}\n"
    "\n"
    "_ptprof()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
    "    # bash makes three words of --option=value\n"
    "    if [[ $current == = ]]; then\n"
    "        current=\n"
    "    elif [[ $previous == = && COMP_CWORD -gt 1 ]]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    local command=${COMP_WORDS[1]}\n"
    "    ((COMP_CWORD > 1)) || command=\n"
    "    case $command:$previous:$current in\n";

static const char bash_tail[] =
    "    esac\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
    "}\n"
    "complete -F _ptprof ptprof\n";

static const char bash_pids[] =
    "        mapfile -t COMPREPLY < <(_ptprof_pids \"$current\")\n"
    "        # The name is shown beside each of several, never inserted.\n"
    "        ((${#COMPREPLY[@]} != 1)) || COMPREPLY=(\"${COMPREPLY[0]%% *}\")\n"
    "        return ;;\n";

static const char bash_files[] =
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "        return ;;\n";

static void bash_name(const struct command *command, const struct option *option)
{
    (void)command;
    if (option->letter)
        printf("-%c ", option->letter);
    printf("--%s ", option->name);
}

static void bash_value(const struct command *command, const struct option *option)
{
    if (!option_takes_value(option))
        return;
    printf("    %s:--%s:*", command->name, option->name);
    if (option->letter)
        printf(" | %s:-%c:*", command->name, option->letter);
    fputs(")\n", stdout);
    if (option->choices) {
        fputs("        words='", stdout);
        completion_put_words(option->choices);
        fputs("' ;;\n", stdout);
    } else if (option->kind == OPTION_FILE) {
        fputs(bash_files, stdout);
    } else {
        fputs("        return ;;\n", stdout);
    }
}

static void bash_operands(const struct command *const *commands, const struct command *command)
{
    printf("    %s:*)\n", command->name);
    if (command->operand == OPERAND_PID) {
        fputs(bash_pids, stdout);
        return;
    }
    if (command->operand == OPERAND_FILE) {
        fputs(bash_files, stdout);
        return;
    }
    fputs("        words='", stdout);
    if (command->operand == OPERAND_COMMAND)
        completion_put_commands(commands);
    else if (command->operand == OPERAND_CHOICE)
        completion_put_words(command->choices);
    fputs("' ;;\n", stdout);
}

void completion_bash(const struct command *const *commands)
{
    fputs(bash_head, stdout);
    fputs("    :*)\n        words='", stdout);
    completion_put_commands(commands);
    putchar(' ');
    completion_each_option(NULL, command_global_options, bash_name);
    fputs("' ;;\n", stdout);
    for (size_t i = 0; commands[i]; i++) {
        completion_each_option(commands[i], commands[i]->options, bash_value);
        printf("    %s:*:-*)\n        words='", commands[i]->name);
        completion_each_option(commands[i], commands[i]->options, bash_name);
        fputs("' ;;\n", stdout);
        bash_operands(commands, commands[i]);
    }
    fputs(bash_tail, stdout);
}
