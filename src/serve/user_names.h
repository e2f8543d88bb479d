// SPDX-License-Identifier: MIT
// Names of users, from /etc/passwd alone: a directory on the network may take its time.
#pragma once

#include <sys/types.h>

// Returns the name of a user, or the number if it has none here; the caller frees it. The file is
// read again when it has changed. Not for several threads.
char *user_name(uid_t uid);
