// SPDX-License-Identifier: MIT
#include "process/debug_image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/patience.h"
#include "process/debug_path.h"
#include "process/regular_file.h"
#include "process/rights.h"

#define SEARCH_MS 2000
#define READ_SIZE (1u << 20) // bytes
#define CHECKSUM_MOST (1u << 30) // of a file; a sparse file may claim any size

struct debug_search { // it owns all that it uses, because it may outlive the module
    pid_t pid;
    struct image wanted;     // only its headers are set
    struct debug_link link;  // the name is "" when there is no link
    struct image *found;
    char *directory, *name; // of the binary; owned
};

static void search_free(void *context)
{
    struct debug_search *search = context;
    image_free(search->found);
    free(search->directory);
    free(search->name);
    free(search);
}

static bool has_checksum(int fd, uint32_t wanted)
{
    AUTO_FREE unsigned char *bytes = xmalloc(READ_SIZE);
    uint32_t checksum = 0;
    off_t at = 0;
    ssize_t got = 0;
    for (; at < CHECKSUM_MOST && (got = pread(fd, bytes, READ_SIZE, at)) > 0; at += got)
        checksum = (uint32_t)crc32_z(checksum, bytes, (size_t)got);
    return at < CHECKSUM_MOST && got == 0 && checksum == wanted;
}

// A debug file belongs to the binary if the build ids are equal. If one of the two has none, the
// checksum of .gnu_debuglink decides.
static bool belongs(const struct debug_search *search, const struct image *image, bool linked,
                    int fd)
{
    if (image_same_build(image, &search->wanted))
        return true;
    bool differs = image->headers.build_id_length && search->wanted.headers.build_id_length;
    return linked && !differs && has_checksum(fd, search->link.checksum);
}

static void take(struct debug_search *search, int file, bool linked)
{
    AUTO_FD int fd = file;
    struct image *image = NULL;
    if (fd >= 0 && image_open(fcntl(fd, F_DUPFD_CLOEXEC, 0), &image, NULL) == RC_OK &&
        image->headers.debug_frame_size && belongs(search, image, linked, fd))
        search->found = image;
    else
        image_free(image);
}

static void try(struct debug_search *search, const char *path, bool linked)
{
    struct stat info;
    take(search, regular_file_open_inside(search->pid, path, &info), linked);
    if (!search->found)
        take(search, regular_file_open_plain(path, &info), linked);
}

static void try_beside(struct debug_search *search, const char *name, bool linked)
{
    for (size_t place = 0; place < DEBUG_PATH_PLACES && !search->found; place++) {
        AUTO_FREE char *path = debug_path_beside(place, search->directory, name);
        try(search, path, linked);
    }
}

static void look_everywhere(struct debug_search *search)
{
    const struct image_headers *wanted = &search->wanted.headers;
    AUTO_FREE char *by_id = debug_path_of_id(wanted->build_id, wanted->build_id_length, ".debug");
    AUTO_FREE char *name = xasprintf("%s.debug", search->name);
    if (wanted->build_id_length) {
        try(search, by_id, false);
        try_beside(search, name, false);
    }
    if (search->link.name[0])
        try_beside(search, search->link.name, true);
}

// A path may lead through links of the target, so files are opened with the target's rights.
static void look(void *context)
{
    struct debug_search *search = context;
    const struct rights own = rights_own(), theirs = rights_of(search->pid);
    rights_take(&theirs);
    look_everywhere(search);
    rights_take(&own);
}

struct image *debug_image_open(const struct module *module, pid_t pid)
{
    const struct image *binary = module->image;
    bool linked = binary->headers.link.name[0];
    if ((!binary->headers.build_id_length && !linked) || module->path[0] != '/')
        return NULL;
    struct debug_search *search = xcalloc(1, sizeof *search);
    search->pid = pid;
    search->link = binary->headers.link;
    search->wanted.headers = binary->headers;
    search->directory = xstrndup(module->path, (size_t)(module->name - module->path) - 1);
    search->name = xstrdup(module->name);
    if (!patience_call(look, search_free, search, SEARCH_MS))
        return NULL;
    struct image *found = search->found;
    search->found = NULL;
    search_free(search);
    return found;
}
