// SPDX-License-Identifier: MIT
// Files of which only what is loaded can be had are put together from memory by a process without
// rights, which is started for each: reading memory may hang.
#pragma once

#include "process/memory_image.h"

// As memory_image_build. RC_FORMAT also when the process died of it.
enum rc memory_reader_build(const struct memory_host *host, uint64_t base) MUST_CHECK;
