// SPDX-License-Identifier: MIT
#include "heap/python_keys.h"

#include <string.h>

#define LARGEST 40u // log2 of slots
#define LEAST_ADDRESS 4096u
#define SPLIT 2u    // dk_kind: the values are elsewhere, and fewer keys may be used

static uint64_t word(const unsigned char *bytes, unsigned at)
{
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

static unsigned log2_index(unsigned slots)
{
    return slots < 8 ? slots : slots < 16 ? slots + 1 : slots < 32 ? slots + 2 : slots + 3;
}

// Two thirds of the slots can be used; of a table that is shared fewer may be.
static bool fits(struct python_keys *keys, uint64_t slots, uint64_t usable, uint64_t used,
                 bool shared)
{
    uint64_t most = (slots << 1) / 3;
    if (usable > most || used > most || usable + used > most || (usable + used < most && !shared))
        return false;
    keys->used = used;
    keys->bytes = keys->entries + most * keys->entry;
    return true;
}

// dk_refcnt, dk_size, dk_lookup, dk_usable, dk_nentries
static bool parse_old(struct python_keys *keys, const unsigned char *bytes)
{
    uint64_t slots = word(bytes, 8);
    if (slots < 8 || slots & (slots - 1) || slots >> LARGEST)
        return false;
    keys->entry = 24;
    keys->lookup = word(bytes, 16);
    keys->entries = 40 + (1ull << log2_index((unsigned)__builtin_ctzll(slots)));
    return keys->lookup && fits(keys, slots, word(bytes, 24), word(bytes, 32), false);
}

// dk_refcnt, dk_log2_size, dk_log2_index_bytes, dk_kind, dk_version, dk_usable, dk_nentries
static bool parse_new(struct python_keys *keys, const unsigned char *bytes)
{
    unsigned slots = bytes[8], index = bytes[9], kind = bytes[10];
    if (slots < 3 || slots > LARGEST || index != log2_index(slots) || kind > SPLIT)
        return false;
    keys->entry = kind ? 16 : 24; // without a hash, which texts have themselves
    keys->entries = 32 + (1ull << index);
    return fits(keys, 1ull << slots, word(bytes, 16), word(bytes, 24), kind == SPLIT);
}

bool python_keys_parse(struct python_keys *keys, unsigned minor, const unsigned char *bytes)
{
    uint64_t references = word(bytes, 0);
    *keys = (struct python_keys){0};
    if (!minor || !references || references > UINT32_MAX)
        return false;
    return minor >= 11 ? parse_new(keys, bytes) : parse_old(keys, bytes);
}

// A slot holds the address of an object when its number is in the order, and nothing otherwise. The
// last one may be no slot but what the block was rounded up by.
static bool slots_fit(const unsigned char *values, size_t visible, size_t room, uint64_t filled)
{
    for (size_t i = 0; i < visible; i++) {
        uint64_t value = word(values, (unsigned)(8 * i));
        if (i + 1 == room && !(filled >> i & 1))
            continue;
        if ((value != 0) != (filled >> i & 1) || value % 8 || (value && value < LEAST_ADDRESS))
            return false;
    }
    return true;
}

// The front ends in its own length; before that are the number of values, and backwards from there
// the numbers of their slots.
static bool values_fit(const unsigned char *bytes, size_t front, size_t have, uint64_t usable)
{
    uint64_t room = (usable - front) / 8, filled = 0;
    unsigned count = bytes[front - 2];
    if (bytes[front - 1] != front || !count || count > front - 2 || count > room ||
        room + 9 < front || room > front + 2)
        return false;
    for (unsigned i = 0; i < count; i++) {
        unsigned slot = bytes[front - 3 - i];
        if (slot >= room || slot >= 64 || filled >> slot & 1)
            return false;
        filled |= 1ull << slot;
    }
    uint64_t seen = (have - front) / 8;
    return slots_fit(bytes + front, seen < room ? seen : room, room, filled);
}

bool python_values_fit(unsigned minor, const unsigned char *bytes, size_t have, uint64_t usable)
{
    for (size_t front = 8; front <= 32 && front + 8 <= have && (minor == 11 || minor == 12);
         front += 8)
        if (values_fit(bytes, front, have, usable))
            return true;
    return false;
}
