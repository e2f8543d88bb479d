// SPDX-License-Identifier: MIT
// Reading the memory of a target without stopping any of its threads, so what is read may change
// meanwhile. Except in memory_read_now, what cannot be read within half a second counts as missing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Copies [address, address + length) of the process; false when we may not read all of it.
bool memory_read(pid_t pid, uint64_t address, void *to, size_t length);

// Copies as much from `address` up as is mapped, at most `length` bytes, and returns how many.
size_t memory_read_some(pid_t pid, uint64_t address, void *to, size_t length);

// Does the same for the sampler, which knows that the pages are present and has a watchdog: this
// neither checks for presence nor has a timeout.
size_t memory_read_now(pid_t pid, uint64_t address, void *to, size_t length);

// Reads words at up to MEMORY_WORDS addresses as memory_read_now does. Returns how many of them,
// from the first on, could be read.
#define MEMORY_WORDS 16
size_t memory_read_words(pid_t pid, const uint64_t *addresses, uint32_t *words, size_t count);

// Returns whether all pages are in memory, so that reading them brings none there. At most 64 are
// asked for.
bool memory_is_there(pid_t pid, uint64_t address, size_t length);

// Waits until the memory can be read: a fork or a large munmap holds mmap_lock for milliseconds.
void memory_await(pid_t pid);
