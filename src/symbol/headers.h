// SPDX-License-Identifier: MIT
// ELF headers and tables of variables are read by a process without rights. It runs as long as it
// has users, and is replaced when it dies or does not answer. Each file that has to be put together
// from memory has a process of its own (reader/memory_reader.h).
#pragma once

#include <stdint.h>

#include "process/image.h"

// Between these two calls, which nest, that process describes files (image_describe_by). If it
// cannot be started, the calling process reads them.
void headers_isolate(void);
void headers_end(void);

// Returns the raw name of the variable of the image that holds the link-time address, and the
// offset of the address in it; NULL when there is none. Valid until the next call. The image must
// be of a file. `number` stands for the image in all calls.
const char *headers_object(const struct image *image, uint32_t number, uint64_t vaddr,
                           uint64_t *offset);

// Returns the pid of the process, 0 when there is none now.
int headers_pid(void);
