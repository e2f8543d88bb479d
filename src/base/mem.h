// SPDX-License-Identifier: MIT
// Allocation that ends the program when there is no memory, and cleanup by attribute (no goto).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Keeps `size` bytes in reserve. When an allocation fails for the first time the reserve is freed
// for it, and mem_is_short says so from then on: there is enough left to end in an orderly way.
void mem_keep_reserve(size_t size);
void mem_give_reserve(void); // as if an allocation had failed
bool mem_is_short(void);

// Sets a function that is called before abort when there is no memory left at all. It may prevent
// the abort by not returning.
void mem_at_end(void (*end)(void));

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
void *xcopy(const void *array, size_t count, size_t size); // of `count` elements; never NULL
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Grows *array, whose elements have the given size, so that index `count` may be written; *capacity
// counts elements. Callers use ARRAY_RESERVE.
void *array_grow(void *array, size_t *capacity, size_t count, size_t size);
#define ARRAY_RESERVE(array, count, capacity)                                                      \
    ((count) < (capacity)                                                                          \
         ? (void)0                                                                                 \
         : (void)((array) = array_grow((array), &(capacity), (count), sizeof *(array))))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Local variables that clean up after themselves. steal_ptr and steal_fd pass on the ownership.
void cleanup_free(void *pointer_to_pointer);
void cleanup_fd(int *fd);
void cleanup_file(FILE **file);
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD __attribute__((cleanup(cleanup_fd)))
#define AUTO_FILE __attribute__((cleanup(cleanup_file)))

int steal_fd(int *fd);
void *steal_ptr(void *pointer_to_pointer);
