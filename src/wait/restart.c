// SPDX-License-Identifier: MIT
#include "wait/restart.h"

#include <string.h>

#include "base/mem.h"
#include "wait/primitive.h"
#include "wait/syscall_form.h"

#define FRAMES_LOOKED_AT 3

// The calls that become restart_syscall, by any part of a function's name; the first match counts.
static const struct {
    const char *part, *call;
} restarted[] = {
    {"clock_nanosleep", "clock_nanosleep"},
    {"nanosleep", "nanosleep"},
    {"ppoll", "ppoll"},
    {"poll", "poll"},
    {"futex", "futex"},
};

static const char *by_name(const char *function)
{
    for (size_t i = 0; function && i < ARRAY_LENGTH(restarted); i++)
        if (strstr(function, restarted[i].part))
            return restarted[i].call;
    return NULL;
}

const char *restart_name(const struct wait_thread *thread)
{
    const char *name = syscall_form_name(syscall_form_machine, thread->call.number), *real;
    if (!name || strcmp(name, "restart_syscall") != 0)
        return name;
    enum primitive primitive = primitive_find(thread->frames, thread->frame_count)->primitive;
    if (primitive != PRIMITIVE_UNNAMED && primitive != PRIMITIVE_OTHER)
        return "futex";
    for (size_t i = 0; i < thread->frame_count && i < FRAMES_LOOKED_AT; i++)
        if ((real = by_name(thread->frames[i].name)))
            return real;
    return name;
}
