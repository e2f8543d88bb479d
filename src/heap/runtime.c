// SPDX-License-Identifier: MIT
#include "heap/runtime.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"
#include "heap/cpython.h"
#include "heap/go_version.h"
#include "heap/hsperf.h"
#include "heap/version_text.h"

const char *const runtime_names[] = {
    [RUNTIME_NATIVE] = "native", [RUNTIME_GO] = "Go",     [RUNTIME_JVM] = "JVM",
    [RUNTIME_CPYTHON] = "CPython", [RUNTIME_NODE] = "node",
};

// Returns a mapping of a file whose name begins like that.
static const struct proc_map *find_file(const struct heap_target *target, const char *beginning)
{
    for (size_t i = 0; i < target->regions.count; i++) {
        const struct proc_map *map = &target->regions.list[i];
        const char *name = strrchr(map->path, '/');
        if (name && strncmp(name + 1, beginning, strlen(beginning)) == 0)
            return map;
    }
    return NULL;
}

static const struct proc_map *find_program(struct heap_target *target)
{
    for (size_t i = 0; i < target->regions.count; i++)
        if (heap_target_is_program(target, &target->regions.list[i]))
            return &target->regions.list[i];
    return NULL;
}

// --- runtimes ---

static bool is_go(struct heap_target *target, char *version, size_t size)
{
    uint64_t at, bytes;
    char unasked[64];
    version = version ? version : unasked;
    size = version == unasked ? sizeof unasked : size;
    bool named = heap_target_variable(target, NULL, "runtime.mheap_", &at, &bytes);
    return go_version_read(target, named, version, size);
}

static bool is_jvm(struct heap_target *target, char *version, size_t size)
{
    struct hsperf hsperf;
    if (!find_file(target, "libjvm.so"))
        return false;
    if (version && hsperf_read(target, &hsperf))
        snprintf(version, size, "%s", hsperf.version);
    return true;
}

static bool is_cpython(struct heap_target *target, char *version, size_t size)
{
    struct cpython python;
    if (!cpython_find(target, &python))
        return false;
    if (version)
        snprintf(version, size, "%s", python.version);
    return true;
}

#define RELEASE "https://nodejs.org/download/release/v"

static bool read_node(const char *at, const char *start, const char *end, char *text, size_t size)
{
    (void)start;
    return version_text_digits(at + sizeof RELEASE - 1, end, text, size);
}

// The program, or the library that distributions make of it, says where its sources are.
static bool is_node(struct heap_target *target, char *version, size_t size)
{
    const struct proc_map *map = find_file(target, "libnode.so");
    const struct proc_map *program = find_program(target);
    const char *name = program ? strrchr(program->path, '/') : NULL;
    if (!map && name && (strcmp(name, "/node") == 0 || strcmp(name, "/nodejs") == 0))
        map = program;
    if (map && version)
        version_text_find(target, map->start, RELEASE, read_node, version, size);
    return map != NULL;
}

// Those that the name of a file tells come first: symbols take longer. version may be NULL.
static const struct {
    enum runtime_kind kind;
    bool (*find)(struct heap_target *target, char *version, size_t size);
} runtimes[] = {
    {RUNTIME_JVM, is_jvm},
    {RUNTIME_NODE, is_node},
    {RUNTIME_GO, is_go},
    {RUNTIME_CPYTHON, is_cpython},
};

// --- libc ---

// musl says its version where its allocator has its books.
static void read_musl(struct heap_target *target, char *version, size_t size)
{
    AUTO_BUF struct buf why = {0};
    void *books = allocator_musl.find(target, &why);
    if (!books)
        return;
    allocator_musl.version(books, version, size);
    allocator_musl.free(books);
}

static void find_libc(struct heap_target *target, struct runtime *runtime)
{
    char *version = runtime->libc_version;
    size_t size = sizeof runtime->libc_version;
    const struct proc_map *glibc = find_file(target, "libc.so.6");
    const struct proc_map *program = find_program(target);
    glibc = glibc ? glibc : find_file(target, "libc-2.");
    if (glibc) {
        runtime->libc = "glibc";
        version_text_glibc(target, glibc->start, version, size);
    } else if (find_file(target, "ld-musl-") || find_file(target, "libc.musl-")) {
        runtime->libc = "musl";
        read_musl(target, version, size);
    } else if (program && version_text_glibc(target, program->start, version, size)) {
        runtime->libc = "glibc";
    }
}

void runtime_read(struct heap_target *target, bool versions, struct runtime *runtime)
{
    *runtime = (struct runtime){.kind = RUNTIME_NATIVE};
    for (size_t i = 0; i < ARRAY_LENGTH(runtimes); i++)
        if (runtimes[i].find(target, versions ? runtime->version : NULL,
                             sizeof runtime->version)) {
            runtime->kind = runtimes[i].kind;
            break;
        } else {
            *runtime->version = '\0';
        }
    if (versions)
        find_libc(target, runtime);
}
