// SPDX-License-Identifier: MIT
// A tree of files of a test's own that looks like /proc and /sys.
#pragma once

extern char tree_root[]; // its root, between make and remove

void tree_make(void);
void tree_remove(void);

// Writes a file at a path that begins with "/", in folders that are made.
void tree_put(const char *path, const char *text);
