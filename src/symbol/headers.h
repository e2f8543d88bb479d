// SPDX-License-Identifier: MIT
// ELF headers and tables of variables are read by a process without rights. It is there as long as
// somebody needs it, and replaced when it dies or does not answer. Files that have to be put
// together from memory have a process of their own each (reader/memory_reader.h).
#pragma once

#include <stdint.h>

#include "process/image.h"

// Between these two calls, which nest, files are described by that process (image_describe_by).
// Where it cannot be started, this process reads them.
void headers_isolate(void);
void headers_end(void);

// Returns the raw name of the variable of the image that holds the link-time address, and the
// offset of the address in it; NULL when there is none. Valid until the next call. The image must
// be of a file. `number` stands for the image in all calls.
const char *headers_object(const struct image *image, uint32_t number, uint64_t vaddr,
                           uint64_t *offset);

// Returns the pid of the process, 0 when there is none now.
int headers_pid(void);
