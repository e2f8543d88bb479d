// SPDX-License-Identifier: MIT
#include "profile/filling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/place.h"
#include "profile/plain_threads.h"

void filling_fini(struct filling *filling)
{
    free(filling->mappings);
    map_fini(&filling->pairs);
    map_fini(&filling->functions);
    free(filling->lines);
}

static uint32_t *known_mapping(struct filling *filling, uint32_t id)
{
    size_t before = filling->mapping_capacity;
    if (id >= before) {
        filling->mapping_capacity = 2 * (size_t)id + 16;
        filling->mappings = xrealloc(filling->mappings,
                                     filling->mapping_capacity * sizeof *filling->mappings);
        memset(filling->mappings + before, 0,
               (filling->mapping_capacity - before) * sizeof *filling->mappings);
    }
    return &filling->mappings[id];
}

static void add_mapping(struct filling *filling, const struct mapping *mapping)
{
    const struct module *module = mapping->module;
    struct place place = place_of(filling->modules, mapping);
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (module->image)
        image_build_id_hex(module->image, build_id);
    uint32_t number = plain_add_mapping(filling->to, (struct plain_mapping){
        .start = place.start,
        .limit = place.limit,
        .offset = place.offset,
        .file = plain_text(filling->to, module->path),
        .build_id = plain_text(filling->to, build_id),
        .made = module->kind == MODULE_ANON,
        .has_functions = true,
    });
    *known_mapping(filling, mapping->id) = number + 1;
}

// A live profile is begun before it is known which program runs.
static void put_main_first(struct filling *filling)
{
    const struct mapping *main_mapping = modules_main(filling->modules);
    if (main_mapping && !filling->to->code.mapping_count)
        add_mapping(filling, main_mapping);
}

void filling_init(struct filling *filling, struct plain_profile *to, const struct modules *modules)
{
    *filling = (struct filling){.to = to, .modules = modules};
    put_main_first(filling);
}

uint32_t filling_mapping(struct filling *filling, const struct mapping *mapping)
{
    put_main_first(filling);
    if (!*known_mapping(filling, mapping->id))
        add_mapping(filling, mapping);
    return *known_mapping(filling, mapping->id) - 1;
}

// pprof shows a name untouched when the system name differs. When both are the same it demangles
// what is mangled, which is welcome, and cuts parentheses and angle brackets from what looks like
// C++, which is not: names of modules and of interpreted code then go without a system name.
static const char *system_name(const struct symbol_line *line)
{
    bool same = strcmp(line->name, line->system_name) == 0;
    return same && strpbrk(line->name, "<[(:") ? "" : line->system_name;
}

static uint32_t function_of(struct filling *filling, const struct symbol_line *line)
{
    struct plain_function function = {
        .name = plain_text(filling->to, line->name),
        .system_name = plain_text(filling->to, system_name(line)),
        .file = plain_text(filling->to, line->file),
    };
    uint32_t names =
        map_number(&filling->pairs, (uint64_t)function.name << 32 | function.system_name);
    uint64_t key = (uint64_t)names << 32 | function.file;
    uint32_t number = map_get(&filling->functions, key, PLAIN_NONE);
    if (number == PLAIN_NONE) {
        number = plain_add_function(filling->to, function);
        map_put(&filling->functions, key, number);
    }
    return number;
}

const struct plain_line *filling_lines(struct filling *filling, const struct symbol_line *lines,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(filling->lines, i, filling->line_capacity);
        filling->lines[i] = (struct plain_line){
            .function = function_of(filling, &lines[i]),
            .line = lines[i].line,
            .column = lines[i].column,
        };
    }
    return filling->lines;
}

uint32_t filling_inside(const struct symbol *symbol)
{
    bool known = (symbol->found || symbol->placed) && symbol->offset < UINT32_MAX;
    return known ? (uint32_t)symbol->offset + 1 : 0;
}

// --- labels ---

// Tools of pprof expect numbers for ids; databases that keep only text find the thread in
// thread_id.
uint32_t filling_thread_labels(struct plain_profile *to, const struct filling_thread *thread,
                               const char *state)
{
    char tid[16];
    snprintf(tid, sizeof tid, "%d", (int)thread->tid);
    uint32_t set = plain_with_text(to, 0, "thread", thread->comm);
    set = plain_with_text(to, set, "thread_id", tid);
    set = plain_with_text(to, set, "comm", thread->process_comm);
    set = plain_with_text(to, set, "state", state);
    set = plain_with_number(to, set, "tid", thread->tid);
    return plain_with_number(to, set, "pid", thread->pid);
}

uint32_t filling_labels(struct filling *filling, const struct profile *profile, uint32_t number,
                        const char *state)
{
    const struct profile_thread *thread = profile_thread_get(profile, number);
    const struct filling_thread facts = {
        .pid = thread->pid,
        .tid = thread->tid,
        .comm = profile_string(profile, thread->comm),
        .process_comm = profile_string(profile, thread->process_comm),
    };
    return filling_thread_labels(filling->to, &facts, state);
}

uint32_t filling_wait(struct filling *filling, const struct profile *profile, uint32_t set,
                      uint32_t number)
{
    const struct profile_wait *wait = profile_wait_get(profile, number);
    const char *object = wait->lock ? profile_string(profile, wait->object) : "";
    const char *kind = wait->kind ? profile_string(profile, wait->kind) : PLAIN_UNSORTED;
    set = plain_with_text(filling->to, set, "wait", kind);
    set = plain_with_text(filling->to, set, "lock", object);
    return plain_with_text(filling->to, set, "inferred", wait->inferred ? "yes" : "");
}

int64_t filling_value(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}
