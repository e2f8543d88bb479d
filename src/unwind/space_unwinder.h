// SPDX-License-Identifier: MIT
// The unwinder of one address space: code and tables come from the images that the space holds.
#pragma once

#include "process/module.h"
#include "unwind/unwinder.h"

// The space must outlive it. max_depth as in unwinder_new.
struct unwinder *space_unwinder_new(struct space *space, size_t max_depth);
