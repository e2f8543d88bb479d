// SPDX-License-Identifier: MIT
// Memory of a target, read in place: no thread of it is stopped. What is read may change meanwhile.
// What does not come within half a second counts as not there, but for memory_read_now.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Copies [address, address + length) of the process; false when it is not all there, or not for us.
bool memory_read(pid_t pid, uint64_t address, void *to, size_t length);

// Copies as much from `address` up as is mapped, at most `length`; how many bytes that were.
size_t memory_read_some(pid_t pid, uint64_t address, void *to, size_t length);

// The same for the sampler, which knows that the pages are there and has a watchdog: it asks for
// nothing else, and waits for as long as it takes.
size_t memory_read_now(pid_t pid, uint64_t address, void *to, size_t length);

// Returns when the memory of the process can be read. Who forks, or unmaps much, locks it for
// milliseconds.
void memory_await(pid_t pid);
