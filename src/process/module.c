// SPDX-License-Identifier: MIT
#include "process/module.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/module_file.h"

#define SILENT_MAX 8

struct modules {
    void **outgrown; // arrays outgrown by list_grow; freed with the modules
    size_t outgrown_count, outgrown_capacity;
    struct module **modules;
    size_t count, capacity;
    struct mapping **mappings;
    size_t mapping_count, mapping_capacity;
    const struct mapping *main;
    struct jit **jits;
    size_t jit_count, jit_capacity;
    uint64_t silent[SILENT_MAX]; // devices whose file system did not answer
    size_t silent_count;
};

#define JIT_MODULES_MAX 1000 // beyond this, memory keeps the names that it had

struct modules *modules_new(void)
{
    return xcalloc(1, sizeof(struct modules));
}

void modules_free(struct modules *modules)
{
    if (!modules)
        return;
    for (size_t i = 0; i < modules->count; i++) {
        image_free(modules->modules[i]->image);
        image_free(modules->modules[i]->debug);
        free(modules->modules[i]->path);
        free(modules->modules[i]->problem);
        free(modules->modules[i]);
    }
    for (size_t i = 0; i < modules->mapping_count; i++)
        free(modules->mappings[i]);
    for (size_t i = 0; i < modules->jit_count; i++)
        jit_free(modules->jits[i]);
    for (size_t i = 0; i < modules->outgrown_count; i++)
        free(modules->outgrown[i]);
    free(modules->outgrown);
    free(modules->jits);
    free(modules->modules);
    free(modules->mappings);
    free(modules);
}

size_t modules_count(const struct modules *modules)
{
    return modules->count;
}

struct module *modules_get(const struct modules *modules, uint32_t id)
{
    return modules->modules[id];
}

size_t modules_mapping_count(const struct modules *modules)
{
    return modules->mapping_count;
}

const struct mapping *modules_mapping(const struct modules *modules, uint32_t id)
{
    return modules->mappings[id];
}

const struct mapping *modules_main(const struct modules *modules)
{
    return modules->main;
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

// One thread adds entries while others read those that they know the numbers of. So an array that
// has to grow is copied, and the old one is kept.
static void *list_grow(struct modules *modules, void *list, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? *capacity * 2 : 64;
    void **larger = xcalloc(*capacity, sizeof *larger);
    if (count)
        memcpy(larger, list, count * sizeof *larger);
    ARRAY_RESERVE(modules->outgrown, modules->outgrown_count, modules->outgrown_capacity);
    modules->outgrown[modules->outgrown_count++] = list;
    return larger;
}

static struct module *module_add(struct modules *modules, enum module_kind kind, const char *path)
{
    modules->modules =
        list_grow(modules, modules->modules, modules->count, &modules->capacity);
    struct module *module = xcalloc(1, sizeof *module);
    module->id = (uint32_t)modules->count;
    module->kind = kind;
    module->path = xstrdup(path);
    module->name = last_component(module->path);
    modules->modules[modules->count++] = module;
    return module;
}

static struct mapping *mapping_add(struct modules *modules, struct module *module, uint64_t start,
                                   uint64_t end, uint64_t offset)
{
    modules->mappings = list_grow(modules, modules->mappings, modules->mapping_count,
                                  &modules->mapping_capacity);
    struct mapping *mapping = xmalloc(sizeof *mapping);
    *mapping = (struct mapping){
        .id = (uint32_t)modules->mapping_count,
        .module = module,
        .start = start,
        .end = end,
        .offset = offset,
    };
    modules->mappings[modules->mapping_count++] = mapping;
    return mapping;
}

static struct mapping *mapping_of(struct modules *modules, struct module *module, uint64_t start,
                                  uint64_t end, uint64_t offset)
{
    for (size_t i = 0; i < modules->mapping_count; i++) {
        struct mapping *mapping = modules->mappings[i];
        if (mapping->module == module && mapping->offset == offset &&
            mapping->end - mapping->start == end - start)
            return mapping;
    }
    return mapping_add(modules, module, start, end, offset);
}

const struct mapping *modules_special(struct modules *modules, enum module_kind kind,
                                      const char *name)
{
    for (size_t i = 0; i < modules->mapping_count; i++) {
        struct module *module = modules->mappings[i]->module;
        if (module->kind == kind && strcmp(module->path, name) == 0)
            return modules->mappings[i];
    }
    struct module *module = module_add(modules, kind, name);
    return mapping_add(modules, module, 0, UINT64_MAX, 0);
}

const struct mapping *modules_unmapped(struct modules *modules, const char *path,
                                       struct image *image)
{
    struct module *module = module_add(modules, MODULE_FILE, path);
    module->image = image;
    return mapping_add(modules, module, 0, UINT64_MAX, 0);
}

struct jit *modules_jit_new(struct modules *modules, pid_t pid)
{
    ARRAY_RESERVE(modules->jits, modules->jit_count, modules->jit_capacity);
    return modules->jits[modules->jit_count++] = jit_new(pid);
}

const struct mapping *modules_jit(struct modules *modules, struct jit *jit, const char *name)
{
    for (size_t i = 0; i < modules->mapping_count; i++) {
        const struct module *module = modules->mappings[i]->module;
        if (module->jit == jit && module->names_known == SIZE_MAX &&
            strcmp(module->path, name) == 0)
            return modules->mappings[i];
    }
    struct module *module = module_add(modules, MODULE_ANON, name);
    module->jit = jit;
    module->names_known = SIZE_MAX;
    return mapping_add(modules, module, 0, UINT64_MAX, 0);
}

void modules_jit_moved(struct modules *modules, const struct jit *jit, size_t names_known)
{
    if (modules->count >= JIT_MODULES_MAX)
        return;
    for (size_t i = 0; i < modules->count; i++)
        if (modules->modules[i]->jit == jit && modules->modules[i]->names_known == SIZE_MAX)
            modules->modules[i]->names_known = names_known;
}

void modules_jit_finished(struct modules *modules, const struct jit *jit)
{
    for (size_t i = 0; i < modules->count; i++) {
        struct module *module = modules->modules[i];
        if (module->jit != jit)
            continue;
        free(module->problem);
        module->problem = jit_problem(jit);
    }
}

// Returns whether the module is memory that a JIT compiler fills: a file that is not ELF and is
// deleted, a memfd, or in /dev/shm.
static bool is_jit_memory(const struct module *module)
{
    return !module->image && (module->deleted || strncmp(module->path, "/memfd:", 7) == 0 ||
                              strncmp(module->path, "/dev/shm/", 9) == 0);
}

static struct module *module_find(struct modules *modules, const struct proc_map *map)
{
    for (size_t i = 0; i < modules->count; i++) {
        struct module *module = modules->modules[i];
        if (module->kind == MODULE_FILE && module->device == map->device &&
            module->inode == map->inode && strcmp(module->path, map->path) == 0)
            return module;
    }
    return NULL;
}

// The kernel appends " (deleted)" to the path of a file without a name. A file may really be called
// so; that does no harm, because the inode decides which file is opened.
static bool strip_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    size_t length = strlen(path), mark_length = sizeof mark - 1;
    if (length <= mark_length || strcmp(path + length - mark_length, mark) != 0)
        return false;
    path[length - mark_length] = '\0';
    return true;
}

// A file system that did not answer once is not asked again: it may hold hundreds of files.
static void load_file(struct modules *modules, struct module *module, const struct mapped *mapped)
{
    bool silent = false;
    for (size_t i = 0; i < modules->silent_count; i++)
        silent |= modules->silent[i] == module->device;
    bool answered = module_file_load(module, mapped, !silent);
    if (!answered && !silent && modules->silent_count < SILENT_MAX)
        modules->silent[modules->silent_count++] = module->device;
}

struct module *modules_file(struct modules *modules, const struct mapped *mapped)
{
    struct proc_map *map = mapped->map;
    bool deleted = strip_deleted(map->path);
    struct module *module = module_find(modules, map);
    if (module)
        return module;
    module = module_add(modules, MODULE_FILE, map->path);
    module->device = map->device;
    module->inode = map->inode;
    module->deleted = deleted;
    load_file(modules, module, mapped);
    return module;
}

static struct module *module_of_vdso(struct modules *modules, const struct mapped *mapped)
{
    for (size_t i = 0; i < modules->count; i++)
        if (modules->modules[i]->kind == MODULE_VDSO)
            return modules->modules[i];
    struct module *module = module_add(modules, MODULE_VDSO, "[vdso]");
    module_vdso_load(module, mapped);
    return module;
}

const struct mapping *modules_mapping_of(struct modules *modules, struct module *module,
                                         const struct mapped *mapped, uint64_t offset)
{
    const struct mapping *mapping =
        mapping_of(modules, module, mapped->map->start, mapped->map->end, offset);
    if (!modules->main && module_file_is_exe(module, mapped->tid))
        modules->main = mapping;
    return mapping;
}

const struct mapping *modules_map(struct modules *modules, const struct mapped *mapped)
{
    const struct proc_map *map = mapped->map;
    if (strcmp(map->path, "[vdso]") == 0)
        return mapping_of(modules, module_of_vdso(modules, mapped), map->start, map->end, 0);
    if (map->path[0] != '/' || map->inode == 0)
        return modules_jit(modules, mapped->jit, map->path[0] == '[' ? map->path : "[anon]");
    struct module *module = modules_file(modules, mapped);
    if (is_jit_memory(module))
        return modules_jit(modules, mapped->jit, module->path);
    return modules_mapping_of(modules, module, mapped, map->offset);
}
