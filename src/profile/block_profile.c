// SPDX-License-Identifier: MIT
#include "profile/block_profile.h"

#include <stdio.h>

#include "base/mem.h"

// Where no process has code: the upper half of what user space has.
#define LOWEST 0x400000000000u
#define SPAN (1ull << 44) // of ten thousand paths two meet once in 350,000 profiles
#define FRAMES 4

void block_profile_begin(struct block_profile *making, int64_t time)
{
    struct plain_profile *profile = plain_new();
    *making = (struct block_profile){.profile = profile};
    plain_add_type(profile, "inuse_objects", "count");
    plain_add_type(profile, "inuse_space", "bytes");
    profile->default_type = plain_text(profile, "inuse_space");
    profile->period_type = (struct plain_type){.type = plain_text(profile, "space"),
                                               .unit = plain_text(profile, "bytes")};
    profile->period = 1; // each block is counted
    profile->time = time;
    plain_add_mapping(profile, (struct plain_mapping){
                                   .start = LOWEST,
                                   .limit = LOWEST + SPAN,
                                   .file = plain_text(profile, BLOCK_PROFILE_MODULE),
                                   .has_functions = true,
                               });
}

// Files that are years apart are subtracted from each other: what this returns never changes.
uint64_t block_profile_address(uint64_t *path, const char *frame)
{
    *path = map_hash(*path * 31 + map_hash_text(frame));
    return LOWEST + *path % SPAN;
}

uint64_t block_profile_next(uint64_t address)
{
    return LOWEST + map_hash(address) % SPAN;
}

static uint32_t function_of(struct block_profile *making, const char *frame)
{
    uint32_t text = plain_text(making->profile, frame);
    uint32_t function = map_get(&making->functions, text, PLAIN_NONE);
    if (function != PLAIN_NONE)
        return function;
    function = plain_add_function(making->profile, (struct plain_function){.name = text});
    map_put(&making->functions, text, function);
    return function;
}

// Returns the location of a frame whose caller has that number, less 1.
static uint32_t location_of(struct block_profile *making, uint32_t caller, const char *frame,
                            uint64_t address)
{
    const struct plain_line line = {.function = function_of(making, frame)};
    uint64_t key = (uint64_t)caller << 32 | line.function;
    uint32_t location = map_get(&making->locations, key, PLAIN_NONE);
    if (location != PLAIN_NONE)
        return location;
    while (map_get(&making->addresses, address, 0))
        address = block_profile_next(address);
    map_put(&making->addresses, address, 1);
    location = plain_add_location(making->profile, 0, address, &line, 1);
    map_put(&making->locations, key, location);
    return location;
}

static uint32_t labels_of(struct plain_profile *profile, const struct block_count *count)
{
    uint32_t set = plain_with_text(profile, 0, BLOCK_ALLOCATOR, count->allocator);
    set = plain_with_text(profile, set, BLOCK_ARENA, count->arena);
    set = plain_with_text(profile, set, BLOCK_KIND, count->kind);
    return plain_with_label(profile, set, (struct plain_label){
        .key = plain_text(profile, BLOCK_SIZE),
        .unit = plain_text(profile, "bytes"),
        .number = count->size < INT64_MAX ? (int64_t)count->size : INT64_MAX,
    });
}

static int64_t value_of(uint64_t count)
{
    return count < INT64_MAX ? (int64_t)count : INT64_MAX;
}

void block_profile_add(struct block_profile *making, const struct block_count *count)
{
    AUTO_FREE char *arena = xasprintf("arena %s", count->arena);
    const char *frames[FRAMES] = {count->allocator, *count->arena ? arena : "", count->kind,
                                  count->what};
    const int64_t values[] = {value_of(count->blocks), value_of(count->bytes)};
    uint64_t path = 0;
    uint32_t node = 0, caller = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        if (!*frames[i])
            continue;
        uint64_t address = block_profile_address(&path, frames[i]);
        uint32_t location = location_of(making, caller, frames[i], address);
        node = plain_child(making->profile, node, location);
        caller = location + 1;
    }
    uint32_t set = labels_of(making->profile, count);
    plain_add(making->profile, plain_sample(making->profile, node, set), values);
}

struct plain_profile *block_profile_end(struct block_profile *making)
{
    struct plain_profile *profile = making->profile;
    map_fini(&making->functions);
    map_fini(&making->locations);
    map_fini(&making->addresses);
    *making = (struct block_profile){0};
    return profile;
}
