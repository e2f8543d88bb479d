// SPDX-License-Identifier: MIT
// Finds musl's malloc. Its one context lies in the data of the C library, or of a program that is
// linked statically; without a symbol it is known by its secret, with which each page of metas that
// it names begins.
#include "heap/musl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/word.h"

// In the context. Where the size of a page is not known beforehand it stands behind the secret.
#define INIT_DONE 8u
#define AREA_FIRST 56u
#define AREA_LAST 64u
#define CONTEXT 928u
#define PAGE_SIZE_WORD 8u

#define DATA_MAX (64ull << 20) // bytes of a file's data that are searched

static bool begins_with_secret(struct heap_target *target, uint64_t area, uint64_t secret)
{
    uint64_t check;
    return area && area % MUSL_AREA == 0 && heap_view_read(&target->view, area, &check, 8) &&
           check == secret;
}

static bool is_context_with(struct heap_target *target, const unsigned char *bytes, size_t shift)
{
    uint64_t secret = word_at(bytes, 0), first = word_at(bytes, AREA_FIRST + shift),
             last = word_at(bytes, AREA_LAST + shift);
    return secret && half_at(bytes, INIT_DONE + shift) == 1 && first % MUSL_AREA == 0 &&
           last % MUSL_AREA == 0 && begins_with_secret(target, first, secret) &&
           begins_with_secret(target, last, secret);
}

// Fills in the books when that is a context.
static bool is_context(struct musl_books *books, const unsigned char *bytes)
{
    for (size_t shift = 0; shift <= PAGE_SIZE_WORD; shift += PAGE_SIZE_WORD)
        if (is_context_with(books->target, bytes, shift)) {
            books->secret = word_at(bytes, 0);
            books->areas = word_at(bytes, AREA_FIRST + shift);
            return true;
        }
    return false;
}

static bool is_context_at(struct musl_books *books, uint64_t address)
{
    unsigned char bytes[CONTEXT];
    return heap_view_read(&books->target->view, address, bytes, sizeof bytes) &&
           is_context(books, bytes);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_library(const char *path)
{
    const char *name = base_name(path);
    return strncmp(name, "ld-musl-", 8) == 0 || strcmp(name, "libc.so") == 0;
}

static bool search_region(struct musl_books *books, const struct proc_map *map)
{
    uint64_t end = map->end - map->start < DATA_MAX ? map->end : map->start + DATA_MAX;
    for (uint64_t at = map->start; at + CONTEXT <= end; at += 8) {
        const unsigned char *bytes = heap_view_window(&books->target->view, at, CONTEXT, end);
        if (!bytes)
            at = (at & ~4095ull) + 4096 - 8; // the page is not there
        else if (is_context(books, bytes))
            return true;
    }
    return false;
}

// What is not in the file of a library's or program's data lies right behind it, without a name.
static bool search_data(struct musl_books *books, bool dynamic)
{
    const struct regions *regions = &books->target->regions;
    const struct proc_map *last = NULL;
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        bool goes_on = last && last->end == map->start && !*map->path;
        if (!goes_on &&
            !(dynamic ? is_library(map->path) : heap_target_is_program(books->target, map)))
            continue;
        last = map;
        if (map->writable && search_region(books, map))
            return true;
    }
    return false;
}

static bool has_library(const struct heap_target *target, bool (*is)(const char *path))
{
    for (size_t i = 0; i < target->regions.count; i++)
        if (is(target->regions.list[i].path))
            return true;
    return false;
}

static bool is_shared_library(const char *path)
{
    return strstr(base_name(path), ".so") != NULL;
}

// A program that is linked statically has no library at all.
static bool find_context(struct musl_books *books, bool dynamic)
{
    static const char *const owners[] = {"ld-musl-", "libc.so", NULL}; // NULL: the program
    uint64_t address, size;
    for (size_t i = dynamic ? 0 : 2; i < ARRAY_LENGTH(owners); i++)
        if (heap_target_variable(books->target, owners[i], "__malloc_context", &address, &size) &&
            is_context_at(books, address))
            return true;
    return search_data(books, dynamic);
}

// The library says its version, "1.2.3" with a NUL on each side of it.
static bool version_in(const unsigned char *bytes, size_t length, char *text, size_t size)
{
    size_t end = 1;
    while (end < length && end < size && bytes[end] && strchr(".0123456789", bytes[end]))
        end++;
    if (bytes[0] || end < 6 || end == length || bytes[end] || memcmp(bytes + 1, "1.", 2) != 0)
        return false;
    snprintf(text, size, "%.*s", (int)(end - 1), (const char *)bytes + 1);
    return true;
}

static void read_version(struct musl_books *books)
{
    const struct regions *regions = &books->target->regions;
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (!is_library(map->path) || map->writable || map->executable || !map->readable)
            continue;
        for (uint64_t at = map->start; at + 16 <= map->end; at++) {
            const unsigned char *bytes = heap_view_window(&books->target->view, at, 16, map->end);
            if (!bytes)
                at |= 4095;
            else if (version_in(bytes, 16, books->version, sizeof books->version))
                return;
        }
    }
}

static void *find(struct heap_target *target, struct buf *why)
{
    bool dynamic = has_library(target, is_library);
    if (!dynamic && has_library(target, is_shared_library))
        return NULL;
    struct musl_books books = {.target = target};
    if (find_context(&books, dynamic)) {
        if (dynamic)
            read_version(&books);
        return xcopy(&books, 1, sizeof books);
    }
    if (dynamic)
        buf_puts(why, "musl: no context whose secret begins its pages of metas in the library's "
                      "data: nothing was allocated yet, or it is of before 1.2.1, whose malloc is "
                      "not read\n");
    return NULL;
}

static void version(const void *books, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct musl_books *)books)->version);
}

const struct allocator allocator_musl = {
    .name = "musl",
    .find = find,
    .version = version,
    .count = musl_count,
    .walk = musl_walk,
    .free = free,
};
