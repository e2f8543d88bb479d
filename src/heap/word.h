// SPDX-License-Identifier: MIT
// Fields of structures of the target, by their offset in bytes that were copied.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t word_at(const void *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}

static inline uint32_t half_at(const void *bytes, size_t at)
{
    uint32_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}

static inline uint16_t quarter_at(const void *bytes, size_t at)
{
    uint16_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}
