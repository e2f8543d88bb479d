// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/heap.h"
#include "commands/profile_input.h"
#include "profile/block_profile.h"

#define TYPES_SHOWN 400 // bytes

struct heap_file {
    const char *name;
    struct plain_profile *profile; // owned
    size_t objects, space;         // numbers of its values
};

static size_t value_named(const struct plain_profile *profile, const char *type)
{
    for (size_t i = 0; i < profile->type_count; i++)
        if (strcmp(plain_string(profile, profile->types[i].type), type) == 0)
            return i;
    return SIZE_MAX;
}

static enum rc refuse(const struct heap_file *file, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *shown = escape_text_dup(file->name);
    for (size_t i = 0; i < file->profile->type_count && text.length < TYPES_SHOWN; i++) {
        buf_puts(&text, i ? ", " : "");
        escape_text(&text, plain_string(file->profile, file->profile->types[i].type));
    }
    return err_set(err, RC_USAGE, "heap: --diff: %s is no profile of memory in use (inuse_space): "
                                  "it has %s; ptprof diff compares other profiles",
                   shown, text.length ? text.data : "no values");
}

static enum rc read_file(struct heap_file *file, struct err *err)
{
    enum rc rc = profile_input_read(file->name, &file->profile, err);
    if (rc != RC_OK)
        return rc;
    file->objects = value_named(file->profile, "inuse_objects");
    file->space = value_named(file->profile, "inuse_space");
    return file->space == SIZE_MAX ? refuse(file, err) : RC_OK;
}

static bool is_incomplete(const struct plain_profile *profile)
{
    for (size_t i = 0; i < profile->comment_count; i++)
        if (strcmp(plain_string(profile, profile->comments[i]), BLOCK_PROFILE_INCOMPLETE) == 0)
            return true;
    return false;
}

static enum rc print(struct heap_run *run, const struct heap_file files[2], struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *old = escape_text_dup(files[0].name), *new = escape_text_dup(files[1].name);
    AUTO_FREE char *title = xasprintf("%s to %s", old, new);
    const struct plain_profile *before = files[0].profile, *now = files[1].profile;
    struct heap_table table;
    heap_table_init(&table, run->options.by);
    heap_table_add_profile(&table, before, files[0].objects, files[0].space, HEAP_BEFORE);
    heap_table_add_profile(&table, now, files[1].objects, files[1].space, HEAP_NOW);
    const struct heap_growth growth = {
        .table = &table,
        .since[HEAP_BEFORE] = before->time > 0 && now->time > before->time
                                  ? now->time - before->time
                                  : 0,
        .top = run->options.top,
        .time = now->time > 0 ? now->time : 0,
        .title = title,
        .incomplete = is_incomplete(before) || is_incomplete(now),
    };
    if (run->format == HEAP_JSON)
        heap_growth_json(&text, &growth);
    else
        heap_growth_text(&text, &growth);
    heap_table_fini(&table);
    return heap_put(run, &text, err);
}

enum rc heap_diff(struct heap_run *run, char *const names[2], struct err *err)
{
    struct heap_file files[2] = {{.name = names[0]}, {.name = names[1]}};
    enum rc rc = read_file(&files[0], err);
    if (rc == RC_OK)
        rc = read_file(&files[1], err);
    if (rc == RC_OK)
        rc = print(run, files, err);
    plain_free(files[0].profile);
    plain_free(files[1].profile);
    return rc;
}
