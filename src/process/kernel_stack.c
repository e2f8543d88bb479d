// SPDX-License-Identifier: MIT
#include "process/kernel_stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/procfs.h"

// Returns the text between "[" and "]" at `at`; the bracket must end the line, else NULL.
static char *take_module(char *at)
{
    char *end = strchr(at, ']');
    if (at[0] != ' ' || at[1] != '[' || !end || end[1])
        return NULL;
    *end = '\0';
    return at + 2;
}

// A line is "[<0>] function+0x5c/0x150 [module]", before Linux 4.15 with an address for the 0.
static bool parse_line(char *line, struct kernel_frame *frame)
{
    char *name = strstr(line, ">] "), *plus, *end;
    if (strncmp(line, "[<", 2) != 0 || !name)
        return false;
    name += 3;
    plus = strchr(name, '+');
    if (!plus || plus == name)
        return false;
    *plus = '\0';
    *frame = (struct kernel_frame){.function = name, .module = ""};
    frame->offset = strtoull(plus + 1, &end, 16);
    end += strcspn(end, " ");
    char *module = take_module(end);
    if (module)
        frame->module = module;
    return true;
}

void kernel_stack_parse(char *text, struct kernel_stack *stack)
{
    char *rest = text, *line;
    stack->count = 0;
    while ((line = strsep(&rest, "\n")) && stack->count < KERNEL_STACK_MAX)
        if (parse_line(line, &stack->frames[stack->count]))
            stack->count++;
}

enum rc kernel_stack_read(pid_t pid, pid_t tid, struct kernel_stack *stack)
{
    AUTO_BUF struct buf text = {0};
    *stack = (struct kernel_stack){0};
    enum rc rc = procfs_read(&text, "/proc/%d/task/%d/stack", pid, tid);
    if (rc != RC_OK || !text.length)
        return rc;
    stack->text = text.data;
    text = (struct buf){0};
    kernel_stack_parse(stack->text, stack);
    return RC_OK;
}

void kernel_stack_fini(struct kernel_stack *stack)
{
    free(stack->text);
    *stack = (struct kernel_stack){0};
}
