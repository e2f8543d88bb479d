// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic(void *) reserve;
static atomic_bool is_short;
static void say_so(void)
{
    static const char text[] = "ptprof: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
}

static void (*at_end)(void) = say_so;

void mem_keep_reserve(size_t size)
{
    free(atomic_exchange(&reserve, malloc(size)));
}

bool mem_is_short(void)
{
    return atomic_load(&is_short);
}

void mem_at_end(void (*end)(void))
{
    at_end = end;
}

// Frees the reserve. Returns whether there was one, so that the allocation is worth another try.
static bool give_reserve(void)
{
    void *kept = atomic_exchange(&reserve, NULL);
    atomic_store(&is_short, true);
    free(kept);
    return kept;
}

void mem_give_reserve(void)
{
    (void)give_reserve();
}

static _Noreturn void die_of_memory(void)
{
    at_end();
    abort();
}

void *xmalloc(size_t size)
{
    void *memory;
    while (!(memory = malloc(size ? size : 1)))
        if (!give_reserve())
            die_of_memory();
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory;
    while (!(memory = calloc(count ? count : 1, size ? size : 1)))
        if (!give_reserve())
            die_of_memory();
    return memory;
}

void *xrealloc(void *old, size_t size)
{
    void *memory;
    while (!(memory = realloc(old, size ? size : 1)))
        if (!give_reserve())
            die_of_memory();
    return memory;
}

void *xcopy(const void *array, size_t count, size_t size)
{
    void *copy = xcalloc(count ? count : 1, size);
    if (count)
        memcpy(copy, array, count * size);
    return copy;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
    size_t known = strnlen(text, length);
    char *copy = xmalloc(known + 1);
    memcpy(copy, text, known);
    copy[known] = '\0';
    return copy;
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
