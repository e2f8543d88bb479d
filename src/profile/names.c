// SPDX-License-Identifier: MIT
#include "profile/names.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "profile/plain_frame.h"

#define NONE UINT32_MAX

struct span {
    uint32_t first, count;
};

struct names {
    _Atomic unsigned references;
    uint32_t generation; // how often locations were looked at again
    struct function **functions; // each on its own: rows keep them
    size_t function_count, function_capacity;
    struct map ids; // struct function's id -> number
    struct span *spans; // [location]
    size_t span_count, span_capacity;
    struct name_frame *frames;
    size_t frame_count, frame_capacity;
    struct outermost {
        uint64_t frames;
        uint32_t known; // in which generation, + 1
    } *outermost; // [node]
    size_t outermost_count;
    struct strtab texts;
};

struct names *names_new(void)
{
    struct names *names = xcalloc(1, sizeof *names);
    atomic_init(&names->references, 1);
    strtab_init(&names->texts);
    names_give(names, "[folded]", "");
    return names;
}

struct names *names_ref(struct names *names)
{
    atomic_fetch_add(&names->references, 1);
    return names;
}

void names_unref(struct names *names)
{
    if (!names || atomic_fetch_sub(&names->references, 1) > 1)
        return;
    for (size_t i = 0; i < names->function_count; i++)
        free(names->functions[i]);
    free(names->functions);
    map_fini(&names->ids);
    free(names->spans);
    free(names->frames);
    free(names->outermost);
    strtab_fini(&names->texts);
    free(names);
}

const char *names_text(struct names *names, const char *text)
{
    return strtab_get(&names->texts, strtab_add(&names->texts, text));
}

// --- functions ---

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u; // FNV-1a
    return map_hash(hash);
}

static uint64_t function_id(const char *name, const char *module)
{
    uint64_t id = hash_text(hash_text(14695981039346656037u, name), module);
    return id ? id : 1; // 0 stands for none
}

// The texts of `wanted` are borrowed.
static uint32_t function_of(struct names *names, struct function wanted)
{
    uint32_t number = map_get(&names->ids, wanted.id, NONE);
    if (number != NONE) {
        names->functions[number]->unnamed |= wanted.unnamed; // given ones do not tell
        return number;
    }
    wanted.name = names_text(names, wanted.name);
    wanted.system_name = names_text(names, wanted.system_name);
    wanted.module = names_text(names, wanted.module);
    wanted.path = names_text(names, wanted.path);
    ARRAY_RESERVE(names->functions, names->function_count, names->function_capacity);
    number = (uint32_t)names->function_count++;
    names->functions[number] = xmalloc(sizeof wanted);
    *names->functions[number] = wanted;
    map_put(&names->ids, wanted.id, number);
    return number;
}

uint32_t names_give(struct names *names, const char *function, const char *module)
{
    const char *slash = strrchr(module, '/');
    struct function given = {
        .name = function,
        .system_name = function,
        .module = slash ? slash + 1 : module,
        .path = module,
    };
    given.id = function_id(given.name, given.module);
    return function_of(names, given);
}

static uint32_t function_of_frame(struct names *names, const struct plain_profile *profile,
                                  const struct plain_location *at, const struct plain_frame *frame,
                                  const char *system_name)
{
    const struct plain_mapping *mapping =
        at->mapping == PLAIN_NONE ? NULL : &profile->code.mappings[at->mapping];
    return function_of(names, (struct function){
        .id = function_id(frame->name, frame->module),
        .name = frame->name,
        .system_name = *system_name ? system_name : frame->name,
        .module = frame->module,
        .path = mapping ? plain_string(profile, mapping->file) : "",
        .unnamed = frame->unnamed,
    });
}

// --- locations ---

static struct name_frame frame_of(struct names *names, const struct plain_profile *profile,
                                  uint32_t location, size_t number)
{
    const struct plain_location *at = &profile->code.locations[location];
    struct plain_frame frame = plain_frame(profile, location, number);
    const char *system_name = "";
    if (at->count) {
        uint32_t function = profile->code.lines[at->first + number].function;
        system_name = plain_string(profile, profile->code.functions[function].system_name);
    }
    return (struct name_frame){
        .function = function_of_frame(names, profile, at, &frame, system_name),
        .inlined = frame.inlined,
        .file = names_text(names, frame.file),
        .line = frame.line > 0 && frame.line < UINT32_MAX ? (uint32_t)frame.line : 0,
        .offset = frame.offset,
    };
}

void names_add(struct names *names, const struct plain_profile *profile, uint32_t location)
{
    size_t count = plain_frame_count(profile, location);
    if (count > NAME_FRAMES_MAX)
        count = NAME_FRAMES_MAX;
    if (location < names->span_count)
        names->generation++;
    else {
        assert(location == names->span_count);
        ARRAY_RESERVE(names->spans, names->span_count, names->span_capacity);
        names->span_count++;
    }
    names->spans[location] = (struct span){(uint32_t)names->frame_count, (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(names->frames, names->frame_count, names->frame_capacity);
        names->frames[names->frame_count++] = frame_of(names, profile, location, i);
    }
}

struct name_span names_frames(const struct names *names, uint32_t location)
{
    assert(location < names->span_count);
    struct span span = names->spans[location];
    return (struct name_span){names->frames + span.first, span.count};
}

static bool is_called_by(const struct names *names, const struct plain_profile *profile,
                         uint32_t node, uint32_t function)
{
    const struct plain_node *nodes = profile->stacks.nodes;
    for (; node; node = nodes[node].parent) {
        struct name_span span = names_frames(names, nodes[node].location);
        for (size_t i = 0; i < span.count; i++)
            if (span.frames[i].function == function)
                return true;
    }
    return false;
}

static uint64_t find_outermost(const struct names *names, const struct plain_profile *profile,
                               uint32_t node)
{
    struct plain_node at = profile->stacks.nodes[node];
    struct name_span span = names_frames(names, at.location);
    uint64_t found = 0;
    for (size_t i = 0; i < span.count; i++) {
        uint32_t function = span.frames[i].function;
        bool again = false;
        for (size_t k = i + 1; k < span.count && !again; k++)
            again = span.frames[k].function == function;
        if (!again && !is_called_by(names, profile, at.parent, function))
            found |= 1ull << i;
    }
    return found;
}

// Makes the array long enough for the node. New elements are zeroed.
static void reserve_outermost(struct names *names, uint32_t node)
{
    size_t longer = names->outermost_count ? names->outermost_count : 256;
    if (node < names->outermost_count)
        return;
    while (longer <= node)
        longer *= 2;
    names->outermost = xrealloc(names->outermost, longer * sizeof *names->outermost);
    memset(names->outermost + names->outermost_count, 0,
           (longer - names->outermost_count) * sizeof *names->outermost);
    names->outermost_count = longer;
}

uint64_t names_outermost(struct names *names, const struct plain_profile *profile, uint32_t node)
{
    reserve_outermost(names, node);
    struct outermost *known = &names->outermost[node];
    if (known->known != names->generation + 1)
        *known = (struct outermost){find_outermost(names, profile, node), names->generation + 1};
    return known->frames;
}

const struct function *names_function(const struct names *names, uint32_t function)
{
    assert(function < names->function_count);
    return names->functions[function];
}

size_t names_function_count(const struct names *names)
{
    return names->function_count;
}

uint32_t names_find(const struct names *names, uint64_t id)
{
    return map_get(&names->ids, id, NONE);
}
