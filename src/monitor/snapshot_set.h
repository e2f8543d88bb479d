// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/snapshot.h"

// Sets a number or text of a snapshot by its member's name, or a counter by its key. Returns false
// if there is none of that name.
bool snapshot_set(struct snapshot *snapshot, const char *name, const char *text);
