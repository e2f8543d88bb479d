// SPDX-License-Identifier: MIT
// The part of memory_use.h that comes of the mappings.
#pragma once

#include "heap/memory_use.h"

// Fills it in, of a process of which `tid` is a thread that has memory. RC_GONE: the image has
// ended; RC_DENIED: we may not read it.
enum rc memory_mappings_read(struct memory_use *use, pid_t tid, bool smaps,
                             struct stack_points *points) MUST_CHECK;
