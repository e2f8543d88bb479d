// SPDX-License-Identifier: MIT
#include "heap/target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/memory_status.h"
#include "process/permission.h"
#include "process/procfs.h"
#include "symbol/headers.h"

// The kernel checks the permission before it looks at the address.
static enum rc try_to_read(pid_t pid, pid_t tid, struct err *err)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {NULL, 1};
    if (process_vm_readv(tid, &here, 1, &there, 1, 0) < 0 && errno != EFAULT)
        return permission_explain_reading(pid, errno, err);
    return RC_OK;
}

enum rc heap_target_gone(pid_t pid, struct err *err)
{
    struct proc_stat stat;
    if (procfs_stat(pid, pid, &stat) != RC_OK || proc_stat_has_ended(&stat))
        return err_set(err, RC_GONE, "process %d has ended", (int)pid);
    return err_set(err, RC_GONE,
                   "process %d executed another program while its memory was read: try again",
                   (int)pid);
}

static enum rc open_parts(struct heap_target *target, bool swapped, struct err *err)
{
    bool changed;
    enum rc rc = heap_view_open(&target->view, target->tid, swapped, err);
    if (rc != RC_OK)
        return rc;
    target->modules = modules_new();
    target->space = space_new(target->modules, target->pid, target->tid);
    rc = space_refresh(target->space, target->tid, &changed);
    if (rc == RC_OK)
        rc = heap_target_refresh(target);
    if (rc == RC_GONE)
        return heap_target_gone(target->pid, err);
    return rc == RC_OK ? RC_OK
                       : err_set(err, rc, "cannot read the mappings of process %d",
                                 (int)target->pid);
}

enum rc heap_target_open(pid_t pid, bool swapped, struct heap_target **out, struct err *err)
{
    *out = NULL;
    struct memory_status status;
    pid_t tid;
    enum rc rc = permission_explain_reading(pid, 0, err);
    if (rc == RC_OK && memory_status_read(pid, &status, &tid) != RC_OK)
        tid = pid; // it has ended
    if (rc == RC_OK)
        rc = try_to_read(pid, tid, err);
    if (rc != RC_OK)
        return rc;
    struct heap_target *target = xcalloc(1, sizeof *target);
    target->pid = pid;
    target->tid = tid;
    headers_isolate();
    rc = open_parts(target, swapped, err);
    if (rc == RC_OK)
        *out = target;
    else
        heap_target_close(target);
    return rc;
}

void heap_target_close(struct heap_target *target)
{
    if (!target)
        return;
    heap_view_close(&target->view);
    space_free(target->space);
    modules_free(target->modules);
    regions_fini(&target->regions);
    headers_end();
    free(target->program);
    free(target);
}

enum rc heap_target_refresh(struct heap_target *target)
{
    target->readings++;
    heap_view_forget(&target->view); // of the last census
    return target->view.gone ? RC_GONE
                             : regions_read(&target->regions, target->pid, target->tid);
}

const struct proc_map *heap_target_region(const struct heap_target *target, uint64_t address)
{
    return regions_find(&target->regions, address);
}

bool heap_target_is_program(struct heap_target *target, const struct proc_map *map)
{
    char link[48], path[PATH_MAX];
    if (!target->program) {
        snprintf(link, sizeof link, "/proc/%d/exe", (int)target->tid);
        ssize_t length = readlink(link, path, sizeof path);
        target->program = xstrndup(path, length > 0 ? (size_t)length : 0);
    }
    return *target->program && strcmp(map->path, target->program) == 0;
}

static bool is_module(const struct heap_target *target, const struct module *module,
                      const char *name)
{
    if (name)
        return strncmp(module->name, name, strlen(name)) == 0;
    const struct mapping *main = modules_main(target->modules);
    return main && main->module == module;
}

bool heap_target_variable(struct heap_target *target, const char *module, const char *name,
                          uint64_t *address, uint64_t *size)
{
    const struct areas *areas = space_areas(target->space);
    const struct module *last = NULL;
    for (size_t i = 0; i < areas->count; i++) {
        const struct area *area = &areas->list[i];
        const struct module *here = area->mapping->module;
        if (here == last || !here->image || !is_module(target, here, module))
            continue;
        last = here;
        if (headers_variable(area, name, address, size))
            return true;
    }
    return false;
}

const char *heap_target_object(struct heap_target *target, uint64_t address, uint64_t *offset)
{
    return headers_object(target->space, address, offset);
}
