// SPDX-License-Identifier: MIT
// What is printed of a process whose allocator nobody knows: its mappings that can be written, the
// largest first, with how much of each is resident.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "heap/target.h"

void heap_mappings_text(struct buf *out, struct heap_target *target, size_t top);

// Appends the same, all of them, as an array "mappings" of an object.
void heap_mappings_json(struct json *json, struct heap_target *target);
