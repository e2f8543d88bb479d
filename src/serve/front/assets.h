// SPDX-License-Identifier: MIT
// The page and what it consists of, as the build puts it into the program: src/serve/page.
#pragma once

#include <stddef.h>

struct asset {
    const char *path, *type; // the path below "/assets/", and its Content-Type
    const char *bytes, *end;
    const char *zipped, *zipped_end; // the same compressed by gzip
    const char *tag; // changes with it; without quotes
};

// Returns the asset of that path, or NULL.
const struct asset *assets_find(const char *path);
