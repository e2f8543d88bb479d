// SPDX-License-Identifier: MIT
#include "heap/evidence.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define PIECE (64u << 10)
#define MOST_OF_FILE (16ull << 20) // bytes; names that are used from elsewhere come first in a file
#define MOST (64ull << 20)

// Each piece is read with the end of the one before it. Returns whether the text is in the file.
static bool holds(const struct image *image, const char *text, uint64_t *left)
{
    size_t length = strlen(text);
    AUTO_FREE char *bytes = xmalloc(PIECE);
    uint64_t size = image->size < MOST_OF_FILE ? image->size : MOST_OF_FILE;
    for (uint64_t at = 0; at + length <= size && *left >= PIECE; at += PIECE - length) {
        size_t got = size - at < PIECE ? (size_t)(size - at) : PIECE;
        if (!image_read(image, at, bytes, got))
            return false;
        if (memmem(bytes, got, text, length))
            return true;
        *left -= PIECE;
    }
    return false;
}

bool evidence_of(const struct heap_target *target, const char *text, const char *but)
{
    uint64_t left = MOST;
    for (uint32_t i = 0; i < modules_count(target->modules); i++) {
        const struct module *module = modules_get(target->modules, i);
        bool skipped = but && strncmp(module->name, but, strlen(but)) == 0;
        if (module->image && !skipped && holds(module->image, text, &left))
            return true;
    }
    return false;
}

bool evidence_of_program(const struct heap_target *target, const char *text)
{
    uint64_t left = MOST;
    const struct mapping *main = modules_main(target->modules);
    return main && main->module->image && holds(main->module->image, text, &left);
}
