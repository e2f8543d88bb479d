// SPDX-License-Identifier: MIT
// The second backend: libunwind-ptrace's own accessors on a thread that is held right now by the
// calling thread. Slow, and the target waits meanwhile; the reference that tests compare with, and
// a way out for the user (--unwinder live).
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unwind/unwinder.h"

// pcs as found, leaf first (callers: return addresses). Returns how many, at most `most`.
size_t unwind_live(pid_t tid, uint64_t *pcs, size_t most, enum unwind_end *end);
