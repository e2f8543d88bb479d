// SPDX-License-Identifier: MIT
#include "heap/memory_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/memory_mappings.h"
#include "process/maps.h"
#include "process/permission.h"

#define TRIES 3 // of a process that executes one program after the other

struct memory_look {
    pid_t pid;
    struct memory_look_options options;
    struct stack_points points;
    struct heap_target *target; // NULL: not open
    struct found_allocators found; // of the target
    uint64_t image; // that the target is of
};

void memory_use_free(struct memory_use *use)
{
    if (!use)
        return;
    memory_group_fini(&use->group);
    free(use->mappings_why);
    free(use->maps);
    free(use->uses);
    free(use->sizes);
    free(use->files);
    buf_fini(&use->text);
    free(use->allocators_why);
    free(use);
}

enum rc memory_look_open(pid_t pid, const struct memory_look_options *options,
                         struct memory_look **out, struct err *err)
{
    *out = NULL;
    enum rc rc = permission_explain_reading(pid, 0, err);
    if (rc == RC_GONE || rc == RC_USAGE || rc == RC_DENIED)
        return rc;
    *err = (struct err){0}; // 32 bits keep nobody from reading
    struct memory_look *look = xcalloc(1, sizeof *look);
    look->pid = pid;
    look->options = *options;
    *out = look;
    return RC_OK;
}

static void close_target(struct memory_look *look)
{
    allocator_free_all(&look->found);
    heap_target_close(look->target);
    look->target = NULL;
}

void memory_look_close(struct memory_look *look)
{
    if (!look)
        return;
    close_target(look);
    stack_points_fini(&look->points);
    free(look);
}

// --- allocators ---

static void set_text(char **text, const char *to)
{
    free(*text);
    *text = xstrdup(to);
}

// What RC_GONE means of a process that there is.
static const char gone[] = "its first thread has ended, or it executes another program just now";

// The allocators of an image are found once.
static bool open_target(struct memory_look *look, struct memory_use *use)
{
    struct err err = {0};
    if (look->target && look->image == use->image && heap_target_refresh(look->target) == RC_OK)
        return true;
    close_target(look);
    enum rc rc = heap_target_open(look->pid, false, &look->target, &err);
    if (rc != RC_OK) {
        set_text(&use->allocators_why, rc == RC_GONE ? gone : err.text);
        return false;
    }
    look->image = use->image;
    allocator_find_all(&look->found, look->target);
    return true;
}

static void take_allocators(struct memory_look *look, struct memory_use *use)
{
    int64_t began = clock_now();
    set_text(&use->allocators_why, "");
    if (open_target(look, use)) {
        for (size_t i = 0; i < look->found.count && i < MEMORY_ALLOCATORS; i++) {
            const struct found_allocator *found = &look->found.list[i];
            struct memory_allocator *to = &use->allocators[use->allocator_count++];
            to->name = found->allocator->name;
            found->allocator->version(found->books, to->version, sizeof to->version);
            found->allocator->count(found->books, &to->figures);
        }
        set_text(&use->allocators_why, look->found.why.data ? look->found.why.data : "");
    }
    use->took.allocators = clock_now() - began;
}

// --- all of it ---

static void explain_mappings(struct memory_use *use, enum rc rc)
{
    use->denied = rc == RC_DENIED;
    set_text(&use->mappings_why, rc == RC_DENIED
                                     ? "a permission is missing to read its mappings"
                                     : "its mappings cannot be read");
}

static enum rc take_parts(struct memory_look *look, struct memory_use *use)
{
    pid_t tid;
    enum rc rc = RC_GONE;
    for (int i = 0; i < TRIES && rc == RC_GONE; i++) {
        rc = memory_status_read(use->pid, &use->status, &tid);
        if (rc != RC_OK)
            return RC_GONE;
        rc = memory_mappings_read(use, tid, look->options.pss, &look->points);
    }
    if (rc != RC_OK)
        explain_mappings(use, rc);
    use->image = maps_image_number(use->pid, tid);
    if (procfs_comm(use->pid, use->pid, use->comm) != RC_OK)
        use->comm[0] = '\0';
    return RC_OK;
}

enum rc memory_look_take(struct memory_look *look, struct memory_use **out, struct err *err)
{
    struct memory_use *use = xcalloc(1, sizeof *use);
    *out = use;
    use->pid = look->pid;
    use->time = clock_wall();
    if (take_parts(look, use) != RC_OK) {
        memory_use_free(steal_ptr(out));
        return err_set(err, RC_GONE, "process %d has ended", (int)look->pid);
    }
    memory_group_read(&use->group, "", look->pid);
    if (use->mappings_why)
        set_text(&use->allocators_why, use->mappings_why);
    else if (look->options.allocators)
        take_allocators(look, use);
    return RC_OK;
}
