// SPDX-License-Identifier: MIT
// ELF headers and tables of variables are read by a process without rights. It runs as long as it
// has users, and is replaced when it dies or does not answer. Each file that has to be put together
// from memory has a process of its own (reader/memory_reader.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/image.h"
#include "process/space.h"

// Between these two calls, which nest, that process describes files (image_describe_by). If it
// cannot be started, the calling process reads them.
void headers_isolate(void);
void headers_end(void);

// Returns the raw name of the variable that holds an address of the space, and the offset of the
// address in it; NULL when there is none. Valid until the next call.
const char *headers_object(struct space *space, uint64_t address, uint64_t *offset);

// Finds the variable of that name of an area's module: its address in the process, and its size.
// False when there is none.
bool headers_variable(const struct area *area, const char *name, uint64_t *address,
                      uint64_t *size);

// Returns the pid of the process, 0 when there is none now.
int headers_pid(void);
