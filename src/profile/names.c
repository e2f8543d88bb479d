// SPDX-License-Identifier: MIT
#include "profile/names.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"

#define NONE UINT32_MAX

struct span {
    uint32_t first, count; // count 0: not known yet
};

struct names {
    _Atomic unsigned references;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher; // NULL: all names are given
    pthread_mutex_t *lock;
    uint32_t generation; // how often names took the place of modules
    uint32_t named;      // locations below this number have their names
    struct function **functions; // each on its own: rows keep them
    size_t function_count, function_capacity;
    struct map ids; // struct function's id -> number
    uint32_t wanted; // locations below this number were asked for
    struct span *spans; // [location]
    size_t span_count;
    struct name_frame *frames;
    size_t frame_count, frame_capacity;
    struct outermost {
        uint64_t frames;
        uint32_t known; // in which generation, + 1
    } *outermost; // [node]
    size_t outermost_count;
    struct strtab texts; // given ones
};

struct names *names_new(const struct modules *modules, struct symbolizer *symbolizer,
                        struct fetcher *fetcher, pthread_mutex_t *lock)
{
    struct names *names = xcalloc(1, sizeof *names);
    atomic_init(&names->references, 1);
    names->modules = modules;
    names->symbolizer = symbolizer;
    names->fetcher = fetcher;
    names->lock = lock;
    strtab_init(&names->texts);
    return names;
}

struct names *names_new_given(void)
{
    return names_new(NULL, NULL, NULL, NULL);
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

static uint32_t function_of(struct names *names, const struct function *wanted)
{
    uint32_t number = map_get(&names->ids, wanted->id, NONE);
    if (number != NONE) {
        names->functions[number]->unnamed |= wanted->unnamed; // given ones do not tell
        return number;
    }
    ARRAY_RESERVE(names->functions, names->function_count, names->function_capacity);
    number = (uint32_t)names->function_count++;
    names->functions[number] = xmalloc(sizeof *wanted);
    *names->functions[number] = *wanted;
    map_put(&names->ids, wanted->id, number);
    return number;
}

// Makes *array so long that it holds `index`; what is new is zeroed.
static void *extend(void *array, size_t *count, uint32_t index, size_t size)
{
    size_t longer = *count ? *count : 256;
    if (index < *count)
        return array;
    while (longer <= index)
        longer *= 2;
    char *extended = xrealloc(array, longer * size);
    memset(extended + *count * size, 0, (longer - *count) * size);
    *count = longer;
    return extended;
}

void names_give_frames(struct names *names, uint32_t location, const struct name_frame *frames,
                       size_t count)
{
    names->spans = extend(names->spans, &names->span_count, location, sizeof *names->spans);
    names->spans[location] = (struct span){(uint32_t)names->frame_count, (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(names->frames, names->frame_count, names->frame_capacity);
        names->frames[names->frame_count++] = frames[i];
    }
}

const char *names_text(struct names *names, const char *text)
{
    return strtab_get(&names->texts, strtab_add(&names->texts, text));
}

uint32_t names_give(struct names *names, const char *function, const char *module)
{
    const char *name = names_text(names, function), *path = names_text(names, module);
    const char *slash = strrchr(path, '/');
    struct function given = {
        .name = name,
        .system_name = name,
        .module = slash ? slash + 1 : path,
        .path = path,
    };
    given.id = function_id(given.name, given.module);
    return function_of(names, &given);
}

// One by one, names cost a round trip to the symbol process each.
static void want_new(struct names *names, const struct profile *profile)
{
    for (; names->wanted < profile_location_count(profile); names->wanted++) {
        struct location at = profile_location_get(profile, names->wanted);
        symbolizer_want(names->symbolizer, at.mapping, at.offset);
    }
}

static void look_up(struct names *names, struct location at, uint32_t location)
{
    struct name_frame frames[NAME_FRAMES_MAX];
    const struct module *module = modules_mapping(names->modules, at.mapping)->module;
    const struct symbol *symbol = symbolizer_lookup(names->symbolizer, at.mapping, at.offset);
    size_t count = symbol->line_count < NAME_FRAMES_MAX ? symbol->line_count : NAME_FRAMES_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct symbol_line *line = &symbol->lines[i];
        struct function function = {
            .id = function_id(line->name, module->name),
            .name = line->name,
            .system_name = line->system_name,
            .module = module->name,
            .path = module->path,
            .unnamed = symbol->placed && i + 1 == symbol->line_count,
        };
        frames[i] = (struct name_frame){
            .function = function_of(names, &function),
            .inlined = i + 1 < symbol->line_count,
            .file = line->file ? line->file : "",
            .line = line->line,
            .offset = at.offset,
        };
    }
    names_give_frames(names, location, frames, count);
}

static void call_by_module(struct names *names, const struct profile *profile, uint32_t location)
{
    struct location at = profile_location_get(profile, location);
    pthread_mutex_lock(names->lock);
    const struct module *module = modules_mapping(names->modules, at.mapping)->module;
    pthread_mutex_unlock(names->lock);
    bool bracketed = module->name[0] == '[';
    AUTO_FREE char *text = xasprintf(bracketed ? "%s" : "[%s]", module->name);
    const char *name = names_text(names, text);
    struct function function = {
        .id = function_id(name, module->name),
        .name = name,
        .system_name = name,
        .module = module->name,
        .path = module->path,
    };
    struct name_frame frame = {
        .function = function_of(names, &function), .file = "", .offset = at.offset};
    names_give_frames(names, location, &frame, 1);
}

// Nobody else uses the symbolizer, and all that is looked up has been fetched.
static void take_names(struct names *names, const struct profile *profile)
{
    size_t count = profile_location_count(profile);
    for (; names->named < names->wanted && names->named < count; names->named++) {
        bool called = names->named < names->span_count && names->spans[names->named].count;
        look_up(names, profile_location_get(profile, names->named), names->named);
        names->generation += called;
    }
}

bool names_update(struct names *names, const struct profile *profile, int milliseconds)
{
    size_t count = profile_location_count(profile);
    if (!names->fetcher || names->named >= count)
        return true;
    if (!fetcher_wait(names->fetcher, milliseconds))
        return false;
    pthread_mutex_lock(names->lock);
    want_new(names, profile);
    pthread_mutex_unlock(names->lock);
    fetcher_start(names->fetcher);
    if (!fetcher_wait(names->fetcher, milliseconds))
        return false;
    pthread_mutex_lock(names->lock);
    take_names(names, profile);
    pthread_mutex_unlock(names->lock);
    return true;
}

struct name_span names_frames(struct names *names, const struct profile *profile,
                              uint32_t location)
{
    if (location >= names->span_count || !names->spans[location].count) {
        assert(names->fetcher);
        call_by_module(names, profile, location);
    }
    struct span span = names->spans[location];
    return (struct name_span){names->frames + span.first, span.count};
}

static bool is_called_by(struct names *names, const struct profile *profile, uint32_t node,
                         uint32_t function)
{
    for (; node; node = profile_node(profile, node).parent) {
        struct name_span span =
            names_frames(names, profile, profile_node(profile, node).location);
        for (size_t i = 0; i < span.count; i++)
            if (span.frames[i].function == function)
                return true;
    }
    return false;
}

static uint64_t find_outermost(struct names *names, const struct profile *profile, uint32_t node)
{
    struct stack_node at = profile_node(profile, node);
    size_t count = names_frames(names, profile, at.location).count;
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct name_frame *frames = names_frames(names, profile, at.location).frames;
        uint32_t function = frames[i].function;
        bool again = false;
        for (size_t k = i + 1; k < count && !again; k++)
            again = frames[k].function == function;
        if (!again && !is_called_by(names, profile, at.parent, function))
            found |= 1ull << i;
    }
    return found;
}

uint64_t names_outermost(struct names *names, const struct profile *profile, uint32_t node)
{
    names->outermost =
        extend(names->outermost, &names->outermost_count, node, sizeof *names->outermost);
    struct outermost *known = &names->outermost[node];
    if (known->known != names->generation + 1)
        *known = (struct outermost){find_outermost(names, profile, node), names->generation + 1};
    return known->frames;
}

uint32_t names_entry(struct names *names, const char *name)
{
    return names_give(names, name, "");
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
