// SPDX-License-Identifier: MIT
// Arrays that ascend by the uint64_t, mostly an address, with which each element begins.
#pragma once

#include <stddef.h>
#include <stdint.h>

void ascending_sort(void *array, size_t count, size_t size);

// Returns the last element whose number is at most `number`, or NULL.
const void *ascending_last(const void *array, size_t count, size_t size, uint64_t number);
