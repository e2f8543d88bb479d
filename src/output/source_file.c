// SPDX-License-Identifier: MIT
#include "output/source_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/path.h"
#include "process/regular_file.h"

#define TEXT_MAX (16u << 20) // bytes: the largest sources that are generated have some
#define LINE_MAX_SHOWN 300   // bytes

// --- where it is ---

static int try_to_open(const char *path, struct stat *info, struct source_file *file)
{
    AUTO_BUF struct buf clean = {0};
    int fd = strlen(path) < PATH_MAX ? regular_file_open(path, info) : -1;
    path_clean(&clean, path);
    if (fd >= 0)
        file->path = steal_ptr(&clean.data);
    return fd;
}

static int open_below(const struct source_places *places, const char *end, struct stat *info,
                      struct source_file *file)
{
    int fd = -1;
    for (size_t i = 0; i < places->directory_count && fd < 0; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", places->directories[i], end);
        fd = try_to_open(path, info, file);
    }
    return fd;
}

// Tries shorter and shorter ends of the path: whoever built the program had it elsewhere. No ".."
// leads out of a directory.
static int search(const struct source_places *places, const char *name, struct stat *info,
                  struct source_file *file)
{
    int fd = -1;
    while (strncmp(name, "../", 3) == 0)
        name += 3;
    while (*name && strcmp(name, "..") != 0 && fd < 0) {
        name += strspn(name, "/");
        fd = open_below(places, name, info, file);
        name += strcspn(name, "/");
    }
    return fd;
}

// Returns what follows a prefix that ends where a component does, or NULL.
static const char *behind(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (!length || strncmp(name, prefix, length) != 0)
        return NULL;
    return name[length] == '/' || prefix[length - 1] == '/' ? name + length : NULL;
}

static const char *without_trim(const struct source_places *places, const char *name)
{
    const char *rest = NULL;
    for (size_t i = 0; i < places->trim_count && !rest; i++)
        rest = behind(name, places->trims[i]);
    return rest;
}

static int find(const struct source_places *places, const char *name, struct stat *info,
                struct source_file *file)
{
    AUTO_BUF struct buf clean = {0};
    path_clean(&clean, name);
    if (clean.length >= PATH_MAX)
        return -1;
    const char *rest = without_trim(places, clean.data);
    int fd = !rest && *clean.data == '/' ? try_to_open(clean.data, info, file) : -1;
    return fd >= 0 ? fd : search(places, rest ? rest : clean.data, info, file);
}

// --- what is in it ---

static void add_line(struct source_file *file, size_t *capacity, size_t at)
{
    ARRAY_RESERVE(file->lines, file->line_count, *capacity);
    file->lines[file->line_count++] = at;
}

static void split(struct source_file *file)
{
    size_t capacity = 0;
    const char *text = file->text.data;
    for (size_t at = 0; at < file->text.length;) {
        const char *end = memchr(text + at, '\n', file->text.length - at);
        add_line(file, &capacity, at);
        at = end ? (size_t)(end - text) + 1 : file->text.length;
    }
}

static enum rc read_text(struct source_file *file, int fd, long long size, struct err *err)
{
    enum rc rc = size > TEXT_MAX ? RC_LIMIT : buf_read_fd(&file->text, fd, TEXT_MAX);
    if (rc == RC_LIMIT)
        return err_set(err, rc, "it is larger than %u MiB", TEXT_MAX >> 20);
    if (rc != RC_OK)
        return err_sys(err, RC_IO, errno, "it cannot be read");
    if (file->text.length && memchr(file->text.data, '\0', file->text.length))
        return err_set(err, RC_FORMAT, "it is no text");
    return RC_OK;
}

enum rc source_file_read(struct source_file *file, const struct source_places *places,
                         const char *name, struct err *err)
{
    struct stat info;
    *file = (struct source_file){0};
    AUTO_FD int fd = find(places, name, &info, file);
    if (fd < 0)
        return err_set(err, RC_FAIL, "there is no such file here");
    enum rc rc = read_text(file, fd, info.st_size, err);
    file->changed = info.st_mtim;
    if (rc == RC_OK)
        split(file);
    else
        source_file_fini(file);
    return rc;
}

void source_file_fini(struct source_file *file)
{
    free(file->path);
    buf_fini(&file->text);
    free(file->lines);
    *file = (struct source_file){0};
}

// --- lines ---

static size_t length_of(const struct source_file *file, size_t number)
{
    size_t end = number + 1 < file->line_count ? file->lines[number + 1] : file->text.length;
    size_t length = end - file->lines[number];
    const char *text = file->text.data + file->lines[number];
    while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    return length;
}

// Returns how much of a line is shown: whole characters.
static size_t shown_length(const char *text, size_t length)
{
    size_t shown = 0;
    while (shown < length && shown < LINE_MAX_SHOWN) {
        unsigned step;
        escape_decode(text + shown, &step);
        shown += step;
    }
    return shown < length ? shown : length;
}

void source_file_line(const struct source_file *file, int64_t line, struct buf *out)
{
    if (line < 1 || (uint64_t)line > file->line_count)
        return;
    const char *text = file->text.data + file->lines[line - 1];
    size_t length = length_of(file, (size_t)line - 1), shown = shown_length(text, length);
    for (size_t at = 0; at < shown;) {
        const char *tab = memchr(text + at, '\t', shown - at);
        size_t piece = tab ? (size_t)(tab - text) - at : shown - at;
        AUTO_FREE char *copy = xstrndup(text + at, piece);
        escape_text(out, copy);
        if (tab)
            buf_putc(out, '\t');
        at += piece + (tab != NULL);
    }
    if (shown < length)
        buf_puts(out, "...");
}
