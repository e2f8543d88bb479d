// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die_of_memory(void)
{
    static const char text[] = "ptprof: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    abort();
}

static void *must(void *memory)
{
    if (!memory)
        die_of_memory();
    return memory;
}

void *xmalloc(size_t size)
{
    return must(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
    return must(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return must(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
    return must(strndup(text, length));
}

char *xasprintf(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        die_of_memory();
    return text;
}

void *array_grow(void *array, size_t *capacity, size_t count, size_t size)
{
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted <= count)
        wanted *= 2;
    if (wanted > SIZE_MAX / size)
        die_of_memory();
    *capacity = wanted;
    return xrealloc(array, wanted * size);
}

void cleanup_free(void *pointer_to_pointer)
{
    void *memory;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    int saved = errno;
    free(memory);
    errno = saved;
}

void cleanup_fd(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

void cleanup_file(FILE **file)
{
    int saved = errno;
    if (*file)
        fclose(*file);
    errno = saved;
}

int steal_fd(int *fd)
{
    int value = *fd;
    *fd = -1;
    return value;
}

void *steal_ptr(void *pointer_to_pointer)
{
    void *memory, *none = NULL;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    memcpy(pointer_to_pointer, &none, sizeof none);
    return memory;
}
