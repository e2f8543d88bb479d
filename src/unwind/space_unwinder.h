// SPDX-License-Identifier: MIT
// Makes the unwinder of an address space, which reads code and tables from the images of the space.
#pragma once

#include "process/module.h"
#include "unwind/unwinder.h"

// The space must outlive the unwinder. max_depth: see unwinder_new.
struct unwinder *space_unwinder_new(struct space *space, size_t max_depth);
