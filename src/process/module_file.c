// SPDX-License-Identifier: MIT
#include "process/module_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/patience.h"
#include "process/memory.h"
#include "process/memory_image.h"
#include "process/regular_file.h"

#define LOAD_MS 2000
#define VDSO_HEAD 4096u // bytes of a vdso that tell it from others
#define UNANSWERED "its file system does not answer"

// Returns whether maps still has that line.
static bool is_mapped_still(const struct mapped *mapped)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    if (procfs_read(&text, "/proc/%d/maps", mapped->tid) != RC_OK)
        return false;
    for (char *at = text.data; proc_map_parse(&at, &map);)
        if (map.start == mapped->map->start)
            return map.inode == mapped->map->inode && map.device == mapped->map->device;
    return false;
}

// map_files leads to the file itself even if it was renamed or deleted, but needs privileges.
// Another file may have been mapped at these addresses meanwhile. On some file systems stat gives
// another device than maps shows.
static int open_map_file(const struct module *module, const struct mapped *mapped,
                         struct stat *info)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, mapped->tid,
             mapped->map->start, mapped->map->end);
    AUTO_FD int fd = regular_file_open(path, info);
    if (fd >= 0 && info->st_ino != module->inode && !is_mapped_still(mapped)) {
        errno = ENOENT;
        return -1;
    }
    return steal_fd(&fd);
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

// maps shows paths from our own root; for a process in a chroot they begin outside of its root.
static int open_outside(const struct module *module, const struct mapped *mapped,
                        struct stat *info)
{
    (void)mapped;
    return regular_file_open_plain(module->path, info);
}

static const struct {
    int (*open)(const struct module *, const struct mapped *, struct stat *);
    bool sure;    // it is the mapped file even if device and inode differ
    bool by_path; // it opens whatever has that path now
} ways[] = {
    {open_map_file, true, false},
    {open_exe, false, false},
    {open_inside, false, true},
    {open_outside, false, true},
};

// Why a file cannot be opened. Of two reasons the later one in this list is reported.
enum reason {
    REASON_GONE,
    REASON_ANOTHER,
    REASON_ERROR,
    REASON_DENIED,
    REASON_LIMIT,
};

static enum reason reason_of(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return REASON_GONE;
    case EACCES:
    case EPERM:
        return REASON_DENIED;
    case EMFILE:
    case ENFILE:
        limits_note(errnum);
        return REASON_LIMIT;
    default:
        return REASON_ERROR;
    }
}

// Even root may not read a FUSE mount of another user.
static bool is_fuse(const struct mapped *mapped)
{
    char path[96];
    struct statfs info;
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, mapped->tid,
             mapped->map->start, mapped->map->end);
    return statfs(path, &info) == 0 && info.f_type == FUSE_SUPER_MAGIC;
}

struct refusal {
    enum reason reason;
    int errnum;
};

static void note_refusal(struct refusal *refusal, enum reason reason, int errnum)
{
    if (reason > refusal->reason)
        *refusal = (struct refusal){reason, errnum};
}

static void describe(const struct refusal *refusal, const struct mapped *mapped, struct err *err)
{
    switch (refusal->reason) {
    case REASON_GONE:
        err_set(err, RC_OK, "its file is gone");
        break;
    case REASON_ANOTHER:
        err_set(err, RC_OK, "its file is another one now");
        break;
    case REASON_ERROR:
        err_set(err, RC_OK, "its file cannot be opened: %s", strerror(refusal->errnum));
        break;
    case REASON_DENIED:
        err_set(err, RC_OK, is_fuse(mapped) ? "its file may not be read: it is on a FUSE file "
                                              "system that only its owner may read"
                                            : "its file may not be read");
        break;
    case REASON_LIMIT:
        err_set(err, RC_OK, refusal->errnum == EMFILE
                                ? "no more files can be opened by one process: see ulimit -n"
                                : "no more files can be opened on this machine");
        break;
    }
}

// Device and inode decide whether this is the mapped file. On overlayfs or btrfs maps shows numbers
// that differ from those of stat; then the build id has to be that of the loaded file.
static struct image *open_file(const struct module *module, const struct mapped *mapped,
                               const struct image *loaded, struct err *err)
{
    struct refusal refusal = {REASON_GONE, ENOENT};
    bool broken = false; // it was opened but is no good; *err says why
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct stat info;
        struct image *image = NULL;
        int fd = ways[i].open(module, mapped, &info);
        if (fd < 0 && (ways[i].by_path || errno != EPERM)) // map_files needs privileges
            note_refusal(&refusal, reason_of(errno), errno);
        if (fd < 0)
            continue;
        bool sure = ways[i].sure ||
                    (info.st_dev == module->device && info.st_ino == module->inode);
        struct err why;
        if (image_open(fd, &image, &why) != RC_OK) {
            if (sure) {
                *err = why;
                broken = true;
            }
        } else if (sure || (loaded && image_same_build(image, loaded))) {
            return image;
        }
        image_free(image);
        if (ways[i].by_path && !sure)
            note_refusal(&refusal, REASON_ANOTHER, 0);
    }
    if (!broken)
        describe(&refusal, mapped, err);
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

struct loading { // it owns all that it uses, because it may outlive the module and the line of maps
    struct module module; // the one to fill in
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
    err_set(&err, RC_OK, UNANSWERED);
    module->image = loading->from_file ? open_file(module, mapped, NULL, &err) : NULL;
    if (module->image && module->image->headers.section_count)
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

// Returns false when it took too long.
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

// Returns our own vdso, or NULL where it is not as long.
static const unsigned char *own_vdso(uint64_t length)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    if (procfs_read(&text, "/proc/self/maps") != RC_OK)
        return NULL;
    for (char *at = text.data; proc_map_parse(&at, &map);)
        if (strcmp(map.path, "[vdso]") == 0)
            return map.end - map.start == length ? (void *)(uintptr_t)map.start : NULL;
    return NULL;
}

// The vdso has no file. It is the same in every 64-bit process of a machine, except in one that was
// restored from another machine (CRIU): its first page, with the build id, shows that. Ours is as
// good then, and pages that the process has not used do not become its own by being read.
void module_vdso_load(struct module *module, const struct mapped *mapped)
{
    struct err err;
    pid_t tid = mapped->tid;
    uint64_t start = mapped->map->start, length = mapped->map->end - start;
    unsigned char page[VDSO_HEAD];
    const unsigned char *own = length >= sizeof page ? own_vdso(length) : NULL;
    bool same = own && (!memory_is_there(tid, start, sizeof page) ||
                        (memory_read(tid, start, page, sizeof page) &&
                         memcmp(page, own, sizeof page) == 0));
    struct memory_source memory = memory_source_of(&tid);
    enum rc rc = same ? image_wrap(own, length, &module->image, &err)
                      : memory_image_copy(&memory, start, start + length, &module->image, &err);
    if (rc != RC_OK)
        module->problem = xstrdup(err.text);
}

// Compares inodes as the kernel has cached them, because the file system may not answer.
bool module_file_is_exe(const struct module *module, pid_t tid)
{
    char path[64];
    struct statx info;
    snprintf(path, sizeof path, "/proc/%d/exe", tid);
    return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &info) == 0 &&
           info.stx_ino == module->inode;
}
