// SPDX-License-Identifier: MIT
// Which release of Go built a program.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "heap/target.h"

// Writes it, "1.19.8", into `text`, of more than 31 bytes; "" when it is not told. named: the
// program has symbols of Go's runtime. Returns false when Go did not build it.
bool go_version_read(struct heap_target *target, bool named, char *text, size_t size);
