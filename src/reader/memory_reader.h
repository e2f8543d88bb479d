// SPDX-License-Identifier: MIT
// Files of which only the loaded parts can be read are put together from memory by a process
// without rights. One is started for each file, because reading memory may hang.
#pragma once

#include "process/memory_image.h"

// Does the same as memory_image_build. Returns RC_FORMAT also when the process died.
enum rc memory_reader_build(const struct memory_host *host, uint64_t base) MUST_CHECK;
