// SPDX-License-Identifier: MIT
// With symbols it is in runtime.buildVersion; else in what the linker puts at the beginning of data
// for `go version`: a mark, flags, and since 1.18 the text itself.
#include "heap/go_version.h"

#include <string.h>

#include "heap/word.h"

#define MAGIC "\xff Go buildinf:"
#define MAGIC_LENGTH 14u
#define INFO_MAX (1u << 20) // bytes at the beginning of data that are searched for it
#define INFO 64u            // bytes of it that are looked at
#define ALIGNED 16u
#define FLAGS_AT 15u
#define INLINE 2u // of the flags: the text is in it
#define LENGTH_AT 32u
#define TEXT_AT 35u // behind its length and "go"

// Copies what a program's own file says; false when it does not say that Go built it.
static bool read_info(struct heap_target *target, unsigned char *info)
{
    for (size_t i = 0; i < target->regions.count; i++) {
        const struct proc_map *map = &target->regions.list[i];
        uint64_t end = map->end - map->start < INFO_MAX ? map->end : map->start + INFO_MAX;
        if (map->executable || !heap_target_is_program(target, map))
            continue;
        for (uint64_t at = map->start; at + INFO <= end; at += ALIGNED) {
            const void *bytes = heap_view_window(&target->view, at, INFO, end);
            if (bytes && memcmp(bytes, MAGIC, MAGIC_LENGTH) == 0) {
                memcpy(info, bytes, INFO);
                return true;
            }
        }
    }
    return false;
}

// A text of Go has a pointer and a length.
static void read_variable(struct heap_target *target, char *text, size_t size)
{
    uint64_t at, ignored, value[2];
    if (!heap_target_variable(target, NULL, "runtime.buildVersion", &at, &ignored) ||
        !heap_view_read(&target->view, at, value, sizeof value) || value[1] <= 2)
        return;
    size_t length = value[1] - 2 < size - 1 ? value[1] - 2 : size - 1; // without "go"
    if (!heap_view_read(&target->view, value[0] + 2, text, length))
        *text = '\0';
    else
        text[length] = '\0';
}

bool go_version_read(struct heap_target *target, bool named, char *text, size_t size)
{
    unsigned char info[INFO];
    *text = '\0';
    if (named)
        read_variable(target, text, size);
    if (named && *text)
        return true;
    if (!read_info(target, info))
        return named;
    size_t length = info[LENGTH_AT];
    if (info[FLAGS_AT] & INLINE && length > 2 && length < INFO - LENGTH_AT - 1) {
        memcpy(text, info + TEXT_AT, length - 2);
        text[length - 2] = '\0';
    }
    return true;
}
