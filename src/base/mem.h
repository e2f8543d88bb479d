// SPDX-License-Identifier: MIT
// Memory that is there or the program ends, and cleanup by attribute (no goto, no close chains).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Keeps so many bytes back. When memory is short for the first time they are given to whoever asks
// then, and mem_is_short says so: enough to end in an orderly way.
void mem_keep_reserve(size_t size);
void mem_give_reserve(void); // as if memory had been short
bool mem_is_short(void);

// What is called when there is none left at all, before abort, which it may prevent.
void mem_at_end(void (*end)(void));

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Grows *array (elements of the given size) so that index `count` may be written; *capacity counts
// elements. Used through ARRAY_RESERVE.
void *array_grow(void *array, size_t *capacity, size_t count, size_t size);
#define ARRAY_RESERVE(array, count, capacity)                                                      \
    ((count) < (capacity)                                                                          \
         ? (void)0                                                                                 \
         : (void)((array) = array_grow((array), &(capacity), (count), sizeof *(array))))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Locals that clean up after themselves. A pointer is given away with steal_ptr, an fd with
// steal_fd.
void cleanup_free(void *pointer_to_pointer);
void cleanup_fd(int *fd);
void cleanup_file(FILE **file);
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD __attribute__((cleanup(cleanup_fd)))
#define AUTO_FILE __attribute__((cleanup(cleanup_file)))

int steal_fd(int *fd);
void *steal_ptr(void *pointer_to_pointer);
