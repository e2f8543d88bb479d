// SPDX-License-Identifier: MIT
#include "serve/target_id.h"

#include <stdio.h>
#include <string.h>

#define PID_ROOM 12 // bytes of "-" and a pid, and NUL

static bool is_letter(char byte)
{
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

static bool is_safe(char byte)
{
    return is_letter(byte) || (byte >= '0' && byte <= '9') || (byte && strchr("-._", byte));
}

// A pid consists of digits, and names that begin with '.' are paths to some.
static bool may_begin(const char *text)
{
    return *text && *text != '.' && text[strspn(text, "0123456789")];
}

bool target_id_is_safe(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!is_safe(text[i]))
            return false;
    return may_begin(text) && length < ASK_TARGET_MOST - PID_ROOM;
}

// What tells it apart is never cut off: the name is.
void target_id_make(const char *name, unsigned number, pid_t pid, char id[ASK_TARGET_MOST])
{
    char safe[ASK_TARGET_MOST - PID_ROOM], end[2 * PID_ROOM] = "";
    snprintf(safe, sizeof safe, "%s%s", may_begin(name) ? "" : "_", name);
    for (char *byte = safe; *byte; byte++)
        if (!is_safe(*byte))
            *byte = '_';
    if (number > 1)
        snprintf(end, sizeof end, "-%u-%d", number, (int)pid);
    else if (number)
        snprintf(end, sizeof end, "-%d", (int)pid);
    int room = ASK_TARGET_MOST - 1 - (int)strlen(end);
    snprintf(id, ASK_TARGET_MOST, "%.*s%s", room, safe, end);
}
