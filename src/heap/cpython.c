// SPDX-License-Identifier: MIT
#include "heap/cpython.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST 8u          // 3.8
#define VARIABLES_MAX (64ull << 20)
#define TP_NAME 24u        // offset in a type
#define STR_LENGTH 16u     // offsets in a str
#define STR_STATE 32u
#define COMPACT_ASCII 0x60u // of its state

static bool read_constant(struct heap_target *target, uint64_t address, void *to, size_t length)
{
    return heap_view_read(&target->view, address, to, length) ||
           areas_read(space_areas(target->space), address, to, length);
}

bool cpython_name(struct heap_target *target, uint64_t address, char *text, size_t size)
{
    if (heap_view_text(&target->view, address, text, size))
        return true;
    for (size_t got = 0; got < size; got++)
        if (!read_constant(target, address + got, text + got, 1))
            return false;
        else if (!text[got])
            return true;
    return false;
}

static bool read_word(struct heap_target *target, uint64_t address, uint64_t *value)
{
    return heap_view_read(&target->view, address, value, sizeof *value);
}

bool cpython_variable(struct heap_target *target, const char *name, uint64_t *address,
                      uint64_t *size)
{
    return heap_target_variable(target, NULL, name, address, size) ||
           heap_target_variable(target, "libpython", name, address, size);
}

// PyType_Type is its own type, and called "type".
static bool is_type_of_types(struct heap_target *target, uint64_t address)
{
    uint64_t own, name;
    char text[sizeof "type"];
    return read_word(target, address + 8, &own) && own == address &&
           read_word(target, address + TP_NAME, &name) &&
           cpython_name(target, name, text, sizeof text) && strcmp(text, "type") == 0;
}

static bool is_data(const struct proc_map *map, const char *path)
{
    return map->writable && !map->shared && (!*map->path || strcmp(map->path, path) == 0);
}

// Its variables are in mappings of its file that can be written, and in memory right behind.
static void find_variables(const struct heap_target *target, struct cpython *python)
{
    const struct regions *regions = &target->regions;
    const struct proc_map *map = heap_target_region(target, python->type);
    size_t first = map ? (size_t)(map - regions->list) : 0, last = first;
    if (!map)
        return;
    while (first && is_data(&regions->list[first - 1], map->path) &&
           regions->list[first - 1].end == regions->list[first].start)
        first--;
    while (last + 1 < regions->count && is_data(&regions->list[last + 1], map->path) &&
           regions->list[last + 1].start == regions->list[last].end)
        last++;
    python->start = regions->list[first].start;
    python->end = regions->list[last].end;
    if (python->end - python->start > VARIABLES_MAX)
        python->end = python->start + VARIABLES_MAX;
}

// The number behind "python3." in the name of a file that is mapped: of the program, its library,
// or of the directory that its modules are from.
static unsigned minor_of_files(const struct heap_target *target)
{
    static const char sign[] = "python3.";
    for (size_t i = 0; i < target->regions.count; i++) {
        const char *found = strstr(target->regions.list[i].path, sign);
        unsigned long minor = found ? strtoul(found + sizeof sign - 1, NULL, 10) : 0;
        if (minor >= OLDEST && minor < 100)
            return (unsigned)minor;
    }
    return 0;
}

static void find_version(struct heap_target *target, struct cpython *python)
{
    uint64_t address, size, version;
    if (cpython_variable(target, "Py_Version", &address, &size) &&
        read_constant(target, address, &version, sizeof version) && version >> 24 == 3) {
        python->minor = version >> 16 & 0xff;
        snprintf(python->version, sizeof python->version, "3.%u.%u", python->minor,
                 (unsigned)(version >> 8 & 0xff));
        return;
    }
    python->minor = minor_of_files(target);
    if (python->minor)
        snprintf(python->version, sizeof python->version, "3.%u", python->minor);
}

bool cpython_find(struct heap_target *target, struct cpython *python)
{
    uint64_t size;
    *python = (struct cpython){0};
    if (!cpython_variable(target, "PyType_Type", &python->type, &python->type_size) ||
        !cpython_variable(target, "PyUnicode_Type", &python->str, &size) ||
        !is_type_of_types(target, python->type))
        return false;
    find_variables(target, python);
    find_version(target, python);
    return true;
}

bool cpython_text(struct heap_target *target, const struct cpython *python, uint64_t address,
                  char *text)
{
    unsigned char head[40];
    uint64_t type, length;
    uint64_t bytes = python->minor >= 12 ? 40 : 48; // wstr has gone since
    if (!heap_view_read(&target->view, address, head, sizeof head))
        return false;
    memcpy(&type, head + 8, sizeof type);
    memcpy(&length, head + STR_LENGTH, sizeof length);
    if (type != python->str || (head[STR_STATE] & COMPACT_ASCII) != COMPACT_ASCII || !length ||
        length >= CPYTHON_TEXT_MAX || !heap_view_read(&target->view, address + bytes, text, length))
        return false;
    text[length] = '\0';
    return strlen(text) == length;
}
