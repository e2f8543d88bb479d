// SPDX-License-Identifier: MIT
// The second backend uses the accessors of libunwind-ptrace on a thread that the calling thread has
// stopped. It is slow and the target waits meanwhile, but tests compare with it, and a user can
// choose it (--unwinder live).
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unwind/unwinder.h"

// Fills in pcs, leaf first; those of callers are return addresses. Returns their number, at most
// `most`.
size_t unwind_live(pid_t tid, uint64_t *pcs, size_t most, enum unwind_end *end);
