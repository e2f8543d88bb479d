// SPDX-License-Identifier: MIT
#include "target/module_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/patience.h"
#include "target/memory_image.h"
#include "target/regular_file.h"

#define LOAD_MS 2000
#define UNANSWERED "its file system does not answer"

// map_files leads to the file itself, whatever became of its names, but needs privileges.
static int open_map_file(const struct module *module, const struct mapped *mapped,
                         struct stat *info)
{
    char path[96];
    (void)module;
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, mapped->tid,
             mapped->map->start, mapped->map->end);
    return regular_file_open(path, info);
}

static int open_exe(const struct module *module, const struct mapped *mapped, struct stat *info)
{
    char path[64];
    (void)module;
    snprintf(path, sizeof path, "/proc/%d/exe", mapped->tid);
    return regular_file_open(path, info);
}

static int open_inside(const struct module *module, const struct mapped *mapped,
                       struct stat *info)
{
    return regular_file_open_inside(mapped->tid, module->path, info);
}

// maps shows paths from our own root, so that of a process in a chroot begins outside of it.
static int open_outside(const struct module *module, const struct mapped *mapped,
                        struct stat *info)
{
    (void)mapped;
    return regular_file_open_plain(module->path, info);
}

static const struct {
    int (*open)(const struct module *, const struct mapped *, struct stat *);
    bool sure; // whatever the numbers say
} ways[] = {
    {open_map_file, true},
    {open_exe, false},
    {open_inside, false},
    {open_outside, false},
};

// Device and inode decide. Those that maps shows of a file on overlayfs or btrfs are not the
// file's own: then it must be of the build that is loaded.
static struct image *open_file(const struct module *module, const struct mapped *mapped,
                               const struct image *loaded, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct stat info;
        struct image *image = NULL;
        int fd = ways[i].open(module, mapped, &info);
        if (fd < 0)
            continue;
        bool sure = ways[i].sure ||
                    (info.st_dev == module->device && info.st_ino == module->inode);
        struct err why;
        if (image_open(fd, &image, &why) != RC_OK) {
            if (sure)
                *err = why;
        } else if (sure || (loaded && image_same_build(image, loaded))) {
            return image;
        }
        image_free(image);
    }
    return NULL;
}

static struct image *open_loaded(const struct mapped *mapped)
{
    pid_t tid = mapped->tid;
    struct memory_source memory = memory_source_of(&tid);
    struct image *image;
    bool opened = mapped->base && memory_image_open(&memory, mapped->base, &image, NULL) == RC_OK;
    return opened ? image : NULL;
}

struct loading { // has all that it needs: it may outlive the module and the line of maps
    struct module module; // that is filled in
    struct proc_map map;
    struct mapped mapped;
    bool from_file;
};

static void discard(void *context)
{
    struct loading *loading = context;
    image_free(loading->module.image);
    free(loading->module.problem);
    free(loading->module.path);
    free(loading);
}

static void load(void *context)
{
    struct loading *loading = context;
    struct module *module = &loading->module;
    const struct mapped *mapped = &loading->mapped;
    struct err err;
    err_set(&err, RC_OK, loading->from_file ? "its file cannot be opened, or is another one now"
                                            : UNANSWERED);
    module->image = loading->from_file ? open_file(module, mapped, NULL, &err) : NULL;
    if (module->image && module->image->section_count)
        return;
    if (module->image)
        err_set(&err, RC_OK, "its file has no section headers");
    struct image *loaded = open_loaded(mapped);
    bool again = loading->from_file && !module->image;
    struct image *file = again ? open_file(module, mapped, loaded, &err) : NULL;
    if (file) {
        image_free(loaded);
        module->image = file;
    } else if (loaded) {
        image_free(module->image);
        module->image = loaded;
        module->in_memory = true;
        module->problem = xasprintf("%s: read from memory", err.text);
    } else if (!module->image) {
        module->problem = xstrdup(err.text);
    }
}

// False when it took too long.
static bool load_patiently(struct module *module, const struct mapped *mapped, bool from_file)
{
    struct loading *loading = xcalloc(1, sizeof *loading);
    loading->module = (struct module){
        .path = xstrdup(module->path), .device = module->device, .inode = module->inode};
    loading->map = *mapped->map;
    loading->map.path = loading->module.path;
    loading->mapped = *mapped;
    loading->mapped.map = &loading->map;
    loading->from_file = from_file;
    if (!patience_call(load, discard, loading, LOAD_MS))
        return false;
    module->image = steal_ptr(&loading->module.image);
    module->problem = steal_ptr(&loading->module.problem);
    module->in_memory = loading->module.in_memory;
    discard(loading);
    return true;
}

bool module_file_load(struct module *module, const struct mapped *mapped, bool from_file)
{
    if (from_file && load_patiently(module, mapped, true))
        return true;
    if (!load_patiently(module, mapped, false))
        module->problem = xstrdup(UNANSWERED);
    return false;
}

// It has no file, and is the same in every 64-bit process of a machine unless one came from another
// machine: with its memory.
void module_vdso_load(struct module *module, const struct mapped *mapped)
{
    struct err err;
    pid_t tid = mapped->tid;
    struct memory_source memory = memory_source_of(&tid);
    if (memory_image_copy(&memory, mapped->map->start, mapped->map->end, &module->image, &err) !=
        RC_OK)
        module->problem = xstrdup(err.text);
}

// By what is known of the file already: its file system may not answer.
bool module_file_is_exe(const struct module *module, pid_t tid)
{
    char path[64];
    struct statx info;
    snprintf(path, sizeof path, "/proc/%d/exe", tid);
    return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &info) == 0 &&
           info.stx_ino == module->inode;
}
