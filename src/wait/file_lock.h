// SPDX-License-Identifier: MIT
// Locks on files (flock, fcntl), from /proc/locks.
#pragma once

#include "wait/finder.h"

// Appends ", held by 4312 "postgres"" when the thread waits for a lock on the file of its first
// argument and /proc/locks says who holds it.
void file_lock_put(struct finder *finder, const struct wait_thread *thread, struct buf *out);
