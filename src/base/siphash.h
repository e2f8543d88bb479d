// SPDX-License-Identifier: MIT
// SipHash-2-4 (Aumasson, Bernstein): a short hash that nobody foresees who does not know the key.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t length);
