// SPDX-License-Identifier: MIT
#include "profile/plain_symbolize.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/filling.h"
#include "symbol/headers.h"
#include "symbol/roots.h"

struct naming {
    struct plain_profile *to;
    struct modules *modules;
    struct symbolizer *symbolizer;
    struct roots roots; // none: files are opened as we see them
    uint32_t *known;    // [mapping]: the number of its file in `modules` + 1, 0: there is none
    struct map files;   // (file, build id) -> the same; its count is of files that were looked for
};

#define FILES_MAX 4096 // that are looked for: a process has hundreds

// --- files ---

static struct image *open_image(struct naming *naming, const char *path, const char *build_id)
{
    struct image *image;
    char found[2 * BUILD_ID_MAX + 1];
    int fd = roots_open(&naming->roots, path);
    if (fd < 0 || image_open(fd, &image, NULL) != RC_OK)
        return NULL;
    image_build_id_hex(image, found);
    if (!*build_id || strcmp(found, build_id) == 0)
        return image;
    image_free(image);
    return NULL;
}

struct sought {
    const char *file, *module, *build_id; // of a mapping
};

// BUILDID/FILE, FILE and DIR/FILE below a directory.
static struct image *find_below(struct naming *naming, const char *directory,
                                const struct sought *sought)
{
    char real[PATH_MAX];
    if (!realpath(directory, real))
        return NULL;
    AUTO_FREE char *by_id = xasprintf("%s/%s/%s", real, sought->build_id, sought->module);
    AUTO_FREE char *by_name = xasprintf("%s/%s", real, sought->module);
    AUTO_FREE char *by_path = xasprintf("%s/%s", real, sought->file);
    struct image *image = *sought->build_id ? open_image(naming, by_id, sought->build_id) : NULL;
    if (!image)
        image = open_image(naming, by_name, sought->build_id);
    return image ? image : open_image(naming, by_path, sought->build_id);
}

static char *directories(void)
{
    const char *set = getenv("PPROF_BINARY_PATH"), *home = getenv("HOME");
    return set && *set ? xstrdup(set) : xasprintf("%s/pprof/binaries", home ? home : "");
}

static struct image *find_image(struct naming *naming, const struct sought *sought)
{
    struct image *image = NULL;
    AUTO_FREE char *list = directories();
    char *rest = list;
    for (char *each; !image && (each = strsep(&rest, ":"));)
        image = *each ? find_below(naming, each, sought) : NULL;
    return image ? image : open_image(naming, sought->file, sought->build_id);
}

// --- names ---

// Says whether code of the mapping may be in a file: "[vdso]" and "[kernel.kallsyms]" are none, and
// /proc/self/exe is another one here.
static bool is_wanted(const struct plain_profile *profile, const struct plain_mapping *mapping)
{
    const char *file = plain_string(profile, mapping->file);
    return !mapping->has_functions && !mapping->made && *file && *file != '[' &&
           strncmp(file, "/proc/", 6) != 0 && *plain_string(profile, mapping->module);
}

static uint32_t open_file(struct naming *naming, const struct plain_mapping *mapping)
{
    const struct sought sought = {
        .file = plain_string(naming->to, mapping->file),
        .module = plain_string(naming->to, mapping->module),
        .build_id = plain_string(naming->to, mapping->build_id),
    };
    struct image *image = find_image(naming, &sought);
    return image ? modules_unmapped(naming->modules, sought.file, image)->id + 1 : 0;
}

static uint32_t file_of(struct naming *naming, const struct plain_mapping *mapping)
{
    uint64_t key = (uint64_t)mapping->file << 32 | mapping->build_id;
    uint32_t known = map_get(&naming->files, key, PLAIN_NONE);
    if (known != PLAIN_NONE || naming->files.count == FILES_MAX)
        return known != PLAIN_NONE ? known : 0;
    known = open_file(naming, mapping);
    map_put(&naming->files, key, known);
    return known;
}

// Returns the number of the location's file in `modules` + 1, 0 if nothing is to be looked up.
static uint32_t sought_in(const struct naming *naming, const struct plain_location *at)
{
    return at->count || at->mapping == PLAIN_NONE ? 0 : naming->known[at->mapping];
}

static uint64_t file_offset(const struct naming *naming, const struct plain_location *at)
{
    const struct plain_mapping *mapping = &naming->to->code.mappings[at->mapping];
    return at->address - mapping->start + mapping->offset;
}

static void want_all(struct naming *naming)
{
    const struct plain_code *code = &naming->to->code;
    for (size_t i = 0; i < code->location_count; i++) {
        uint32_t file = sought_in(naming, &code->locations[i]);
        if (file)
            symbolizer_want(naming->symbolizer, file - 1,
                            file_offset(naming, &code->locations[i]));
    }
    symbolizer_fetch(naming->symbolizer);
}

static size_t take_all(struct naming *naming)
{
    struct filling filling;
    size_t named = 0;
    filling_init(&filling, naming->to, naming->modules);
    for (uint32_t i = 0; i < naming->to->code.location_count; i++) {
        const struct plain_location at = naming->to->code.locations[i];
        uint32_t file = sought_in(naming, &at);
        if (!file)
            continue;
        const struct symbol *symbol =
            symbolizer_lookup(naming->symbolizer, file - 1, file_offset(naming, &at));
        if (!symbol->found && !symbol->placed)
            continue;
        plain_set_lines(naming->to, i, filling_lines(&filling, symbol->lines, symbol->line_count),
                        symbol->line_count);
        naming->to->code.mappings[at.mapping].has_functions = true;
        named++;
    }
    filling_fini(&filling);
    return named;
}

static size_t name_all(struct naming *naming)
{
    size_t count = naming->to->code.mapping_count;
    naming->known = xcalloc(count, sizeof *naming->known);
    naming->modules = modules_new();
    naming->symbolizer = symbolizer_new(naming->modules);
    headers_isolate();
    symbolizer_isolate(naming->symbolizer);
    for (uint32_t i = 0; i < count; i++)
        if (is_wanted(naming->to, &naming->to->code.mappings[i]))
            naming->known[i] = file_of(naming, &naming->to->code.mappings[i]);
    want_all(naming);
    size_t named = take_all(naming);
    symbolizer_free(naming->symbolizer);
    modules_free(naming->modules);
    headers_end();
    map_fini(&naming->files);
    free(naming->known);
    return named;
}

size_t plain_symbolize(struct plain_profile *profile)
{
    struct naming naming = {.to = profile};
    bool wanted = false;
    for (size_t i = 0; i < profile->code.mapping_count && !wanted; i++)
        wanted = is_wanted(profile, &profile->code.mappings[i]);
    size_t named = wanted ? name_all(&naming) : 0;
    if (named)
        plain_judge_mappings(profile);
    return named;
}
