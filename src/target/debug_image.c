// SPDX-License-Identifier: MIT
#include "target/debug_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/patience.h"
#include "target/debug_path.h"
#include "target/regular_file.h"

#define SEARCH_MS 2000

struct search { // has all that it needs: it may outlive the module
    pid_t pid;
    struct image wanted; // its build id only
    struct image *found;
    char *directory, *name; // of the binary
};

static void search_free(void *context)
{
    struct search *search = context;
    image_free(search->found);
    free(search->directory);
    free(search->name);
    free(search);
}

// The section is read here too: later nobody would wait for it with patience.
static void take(struct search *search, int fd)
{
    struct image *image = NULL;
    size_t size;
    if (fd >= 0 && image_open(fd, &image, NULL) == RC_OK &&
        image_same_build(image, &search->wanted) && image_debug_frame(image, &size))
        search->found = image;
    else
        image_free(image);
}

static void try(struct search *search, const char *path)
{
    struct stat info;
    take(search, regular_file_open_inside(search->pid, path, &info));
    if (!search->found)
        take(search, regular_file_open(path, &info));
}

static void look(void *context)
{
    struct search *search = context;
    AUTO_FREE char *by_id = debug_path_of_id(search->wanted.build_id,
                                             search->wanted.build_id_length, ".debug");
    AUTO_FREE char *name = xasprintf("%s.debug", search->name);
    try(search, by_id);
    for (size_t place = 0; place < DEBUG_PATH_PLACES && !search->found; place++) {
        AUTO_FREE char *path = debug_path_beside(place, search->directory, name);
        try(search, path);
    }
}

struct image *debug_image_open(const struct module *module, pid_t pid)
{
    const struct image *binary = module->image;
    if (!binary->build_id_length || module->path[0] != '/')
        return NULL;
    struct search *search = xcalloc(1, sizeof *search);
    search->pid = pid;
    search->wanted.build_id_length = binary->build_id_length;
    memcpy(search->wanted.build_id, binary->build_id, binary->build_id_length);
    search->directory = xstrndup(module->path, (size_t)(module->name - module->path) - 1);
    search->name = xstrdup(module->name);
    if (!patience_call(look, search_free, search, SEARCH_MS))
        return NULL;
    struct image *found = search->found;
    search->found = NULL;
    search_free(search);
    return found;
}
