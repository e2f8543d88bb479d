// SPDX-License-Identifier: MIT
// IDs of targets are their names in paths: letters, digits, '-', '.' and '_', and no path of their
// own ("..") or pid.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "serve/ask.h"

// Says whether a text that somebody chose can be an ID.
bool target_id_is_safe(const char *text);

// Makes an ID of a name, which is raw bytes of a process or an ID already. For each number beyond 0
// it is another one, which has the pid in it.
void target_id_make(const char *name, unsigned number, pid_t pid, char id[ASK_TARGET_MOST]);
