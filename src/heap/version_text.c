// SPDX-License-Identifier: MIT
#include "heap/version_text.h"

#include <string.h>

#include "base/mem.h"

#define PIECE (64u << 10)     // bytes that are looked through at once
#define OVERLAP 128u          // of two pieces: no mark and its version is longer
#define BANNER_MAX 120u       // bytes of the text with glibc's version
#define MOST (256ull << 20)   // bytes of constants of a module that are looked through

bool version_text_digits(const char *at, const char *end, char *text, size_t size)
{
    size_t length = 0;
    while (at + length < end && length < size - 1 && strchr("0123456789.", at[length]) &&
           at[length])
        length++;
    memcpy(text, at, length);
    text[length] = '\0';
    return length > 2 && *text != '.' && text[length - 1] != '.' && strchr(text, '.');
}

static bool find_in_piece(const char *piece, size_t length, const char *mark, version_reader *read,
                          char *text, size_t size)
{
    const char *end = piece + length;
    for (const char *at = piece; (at = memmem(at, (size_t)(end - at), mark, strlen(mark))); at++)
        if (read(at, piece, end, text, size))
            return true;
    return false;
}

static bool find_in_map(struct heap_target *target, const struct proc_map *map, const char *mark,
                        version_reader *read, char *text, size_t size)
{
    AUTO_FREE char *piece = xcalloc(PIECE + 1, 1); // a text
    for (uint64_t at = map->start; at < map->end && at - map->start < MOST; at += PIECE - OVERLAP) {
        size_t length = map->end - at < PIECE ? map->end - at : PIECE;
        if (areas_read(space_areas(target->space), at, piece, length) &&
            find_in_piece(piece, length, mark, read, text, size))
            return true;
        if (length < PIECE)
            break;
    }
    return false;
}

// Returns the mapping of a file that the data at the address belongs to; its .bss lies behind.
static const struct proc_map *file_of(const struct heap_target *target, uint64_t address)
{
    const struct proc_map *map = heap_target_region(target, address);
    while (map && map > target->regions.list && *map->path != '/' && map[-1].end == map->start)
        map--;
    return map && *map->path == '/' ? map : NULL;
}

bool version_text_find(struct heap_target *target, uint64_t address, const char *mark,
                       version_reader *read, char *text, size_t size)
{
    const struct proc_map *file = file_of(target, address);
    for (size_t i = 0; file && i < target->regions.count; i++) {
        const struct proc_map *map = &target->regions.list[i];
        if (map->inode == file->inode && map->device == file->device && map->readable &&
            !map->writable && find_in_map(target, map, mark, read, text, size))
            return true;
    }
    *text = '\0';
    return false;
}

static bool read_nothing(const char *at, const char *start, const char *end, char *text,
                         size_t size)
{
    (void)at, (void)start, (void)end, (void)text, (void)size;
    return true;
}

bool version_text_mark(struct heap_target *target, uint64_t address, const char *mark)
{
    char none[1];
    return version_text_find(target, address, mark, read_nothing, none, sizeof none);
}

// Takes the number of "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36."
static bool read_release(const char *at, const char *start, const char *end, char *text,
                         size_t size)
{
    static const char before[] = " release version ";
    size_t length = (size_t)(end - at) < BANNER_MAX ? (size_t)(end - at) : BANNER_MAX;
    const char *found = memmem(at, length, before, sizeof before - 1);
    const char *line = found ? memchr(found, '\n', (size_t)(at + length - found)) : NULL;
    (void)start;
    return line && version_text_digits(found + sizeof before - 1, line - 1, text, size);
}

bool version_text_glibc(struct heap_target *target, uint64_t address, char *text, size_t size)
{
    return version_text_find(target, address, "GNU C Library (", read_release, text, size);
}
