// SPDX-License-Identifier: MIT
// Pieces of a text that come again and again, such as the lines of frames: what one means is found
// out once.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strtab.h"

struct known {
    struct strtab texts;
    uint32_t *numbers; // [text]
    size_t capacity;
    struct buf text;
};

void known_init(struct known *known);
void known_fini(struct known *known);

size_t known_memory(const struct known *known); // bytes

// Returns the number that is kept for a text without NULs, 0 at first. It may be written until the
// next call.
uint32_t *known_number(struct known *known, const char *start, const char *end);
