// SPDX-License-Identifier: MIT
#include "target/debug_image.h"

#include <string.h>

#include "base/mem.h"
#include "target/debug_path.h"
#include "target/regular_file.h"

static struct image *open_same_build(int fd, const struct image *binary)
{
    struct image *image = NULL;
    if (fd >= 0 && image_open(fd, &image, NULL) == RC_OK && image_same_build(image, binary))
        return image;
    image_free(image);
    return NULL;
}

static struct image *try(const char *path, const struct module *module, pid_t pid)
{
    struct stat info;
    struct image *image =
        open_same_build(regular_file_open_inside(pid, path, &info), module->image);
    return image ? image : open_same_build(regular_file_open(path, &info), module->image);
}

struct image *debug_image_open(const struct module *module, pid_t pid)
{
    const struct image *binary = module->image;
    if (!binary->build_id_length || module->path[0] != '/')
        return NULL;
    AUTO_FREE char *by_id =
        debug_path_of_id(binary->build_id, binary->build_id_length, ".debug");
    AUTO_FREE char *directory = xstrndup(module->path, (size_t)(module->name - module->path) - 1);
    AUTO_FREE char *name = xasprintf("%s.debug", module->name);
    struct image *image = try(by_id, module, pid);
    for (size_t place = 0; place < DEBUG_PATH_PLACES && !image; place++) {
        AUTO_FREE char *path = debug_path_beside(place, directory, name);
        image = try(path, module, pid);
    }
    return image;
}
