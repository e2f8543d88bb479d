// SPDX-License-Identifier: MIT
#include "profile/block_profile.h"

#include <stdio.h>

#include "base/mem.h"
#include "profile/size_class.h"

// Mappings are where hardly any process has code: in the upper half of what user space has.
#define LOWEST 0x400000000000u
#define MAPPINGS 64u
#define SPAN (1ull << 40) // of ten thousand paths two meet once in 20,000 profiles
#define FRAMES 4

// Files that are years apart are subtracted from each other: what these three return never changes.
static uint64_t start_of(const char *file)
{
    return LOWEST + map_hash_text(file) % MAPPINGS * SPAN;
}

uint64_t block_profile_offset(uint64_t *path, const char *frame)
{
    *path = map_hash(*path * 31 + map_hash_text(frame));
    return *path % SPAN;
}

uint64_t block_profile_next(uint64_t offset)
{
    return map_hash(offset) % SPAN;
}

static uint32_t mapping_of(struct block_profile *making, const char *file)
{
    uint32_t text = plain_text(making->profile, file);
    uint32_t mapping = map_get(&making->mappings, text, PLAIN_NONE);
    if (mapping != PLAIN_NONE)
        return mapping;
    uint64_t start = start_of(file);
    mapping = plain_add_mapping(making->profile,
                                (struct plain_mapping){.start = start, .limit = start + SPAN,
                                                       .file = text, .has_functions = true});
    map_put(&making->mappings, text, mapping);
    return mapping;
}

static void put_program(struct plain_profile *profile, const struct block_program *program)
{
    plain_add_mapping(profile, (struct plain_mapping){
        .start = program->start,
        .limit = program->limit,
        .offset = program->offset,
        .file = plain_text(profile, program->path),
        .build_id = plain_text(profile, program->build_id),
        .has_functions = true,
    });
}

void block_profile_begin(struct block_profile *making, int64_t time,
                         const struct block_program *program)
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
    if (program && *program->path)
        put_program(profile, program); // the first one names the profile
    mapping_of(making, BLOCK_PROFILE_MODULE);
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
                            const char *file, uint64_t offset)
{
    const struct plain_line line = {.function = function_of(making, frame)};
    uint64_t key = (uint64_t)caller << 32 | line.function;
    uint32_t location = map_get(&making->locations, key, PLAIN_NONE);
    if (location != PLAIN_NONE)
        return location;
    while (map_get(&making->addresses, start_of(file) + offset, 0))
        offset = block_profile_next(offset);
    map_put(&making->addresses, start_of(file) + offset, 1);
    location = plain_add_location(making->profile, mapping_of(making, file),
                                  start_of(file) + offset, &line, 1);
    map_put(&making->locations, key, location);
    return location;
}

static int64_t value_of(uint64_t count)
{
    return count < INT64_MAX ? (int64_t)count : INT64_MAX;
}

static uint32_t with_bytes(struct plain_profile *profile, uint32_t set, const char *key,
                           uint64_t bytes)
{
    return plain_with_label(profile, set, (struct plain_label){
        .key = plain_text(profile, key),
        .unit = plain_text(profile, "bytes"),
        .number = value_of(bytes),
    });
}

static uint32_t labels_of(struct plain_profile *profile, const struct block_count *count)
{
    uint32_t set = plain_with_text(profile, 0, BLOCK_ALLOCATOR, count->allocator);
    set = plain_with_text(profile, set, BLOCK_ARENA, count->arena);
    set = plain_with_text(profile, set, BLOCK_KIND, count->kind);
    set = with_bytes(profile, set, BLOCK_SIZE,
                     count->blocks ? size_class_of(count->bytes / count->blocks) : count->size);
    return with_bytes(profile, set, BLOCK_USABLE, count->size);
}

void block_profile_add(struct block_profile *making, const struct block_count *count)
{
    AUTO_FREE char *arena = xasprintf("arena %s", count->arena);
    AUTO_FREE char *kind = xasprintf("[%s]", count->kind);
    const char *heap = BLOCK_PROFILE_MODULE;
    const struct {
        const char *text, *file;
    } frames[FRAMES] = {{count->allocator, heap},
                        {*count->arena ? arena : "", heap},
                        {count->kind, kind},
                        {count->what, *count->kind ? kind : heap}};
    const int64_t values[] = {value_of(count->blocks), value_of(count->bytes)};
    uint64_t path = 0;
    uint32_t node = 0, caller = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        if (!*frames[i].text)
            continue;
        uint64_t offset = block_profile_offset(&path, frames[i].text);
        uint32_t location =
            location_of(making, caller, frames[i].text, frames[i].file, offset);
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
    map_fini(&making->mappings);
    map_fini(&making->locations);
    map_fini(&making->addresses);
    *making = (struct block_profile){0};
    return profile;
}
