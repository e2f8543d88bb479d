// SPDX-License-Identifier: MIT
#include "symbol/reader/debug_file.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include <elfutils/libdwelf.h>

#include "base/mem.h"
#include "process/debug_path.h"
#include "symbol/roots.h"

#define ID_LEAST 3 // bytes of a build id
#define CHECKSUM_MOST (1ull << 30)  // bytes of one file; they take about half a second
#define CHECKSUMS_MOST (4ull << 30) // bytes that one symbol process reads for checksums

struct id {
    const unsigned char *bytes;
    size_t length; // 0: there is none
};

static struct id id_of(const struct elf_file *file)
{
    const void *bytes;
    ssize_t length = dwelf_elf_gnu_build_id(file->image->elf, &bytes);
    if (length < ID_LEAST || length > BUILD_ID_MAX)
        return (struct id){0};
    return (struct id){bytes, (size_t)length};
}

static bool same_id(struct id a, struct id b)
{
    return a.length && a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static void note(struct debug_finder *finder, const char *path, const char *result)
{
    buf_printf(&finder->tried, "%s: %s\n", path, result);
}

// A proof says how a file is known to belong to a binary.
struct proof {
    struct id id;
    bool by_checksum;
    uint32_t checksum;
    bool in_parts; // each unit of the file has an id of its own
};

// A sparse file may claim any size, and each module may link to one, so the sum is bounded too.
static bool has_checksum(const struct elf_file *file, uint32_t wanted)
{
    static uint64_t left = CHECKSUMS_MOST;
    if (file->size > left)
        return false;
    left -= file->size;
    return crc32_z(0, file->bytes, file->size) == wanted;
}

static const char *refusal(const struct proof *proof, const struct elf_file *file)
{
    struct id id = id_of(file);
    if (proof->in_parts)
        return NULL;
    if (proof->id.length && (id.length || !proof->by_checksum) && !same_id(proof->id, id))
        return "another build id";
    if (proof->by_checksum && file->size > CHECKSUM_MOST)
        return "too large for its checksum to be computed";
    if (proof->by_checksum && !has_checksum(file, proof->checksum))
        return "another checksum";
    return proof->id.length || proof->by_checksum ? NULL : "nothing proves that it belongs";
}

static bool try(struct debug_finder *finder, const char *path, const struct proof *proof,
                struct elf_file *found)
{
    struct err err;
    int fd = finder->open(finder->context, path);
    if (fd < 0) {
        note(finder, path, fd == ROOTS_HUNG ? "it takes too long to open" : "not there");
        return false;
    }
    if (elf_file_map(fd, found, &err) != RC_OK) {
        note(finder, path, err.text);
        return false;
    }
    const char *refused = refusal(proof, found);
    note(finder, path, refused ? refused : "used");
    if (refused)
        elf_file_fini(found);
    return !refused;
}

static bool by_build_id(struct debug_finder *finder, struct id id, const char *ending,
                        const struct proof *proof, struct elf_file *found)
{
    AUTO_FREE char *path = debug_path_of_id(id.bytes, id.length, ending);
    return id.length && try(finder, path, proof, found);
}

// The name in a .gnu_debuglink must be a single component, so that it stays in the directory.
static bool is_plain(const char *name)
{
    return name && name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

static bool by_name(struct debug_finder *finder, const char *directory, const char *name,
                    const char *path, const struct proof *proof, struct elf_file *found)
{
    for (size_t i = 0; i < DEBUG_PATH_PLACES; i++) {
        AUTO_FREE char *place = debug_path_beside(i, directory, name);
        if (strcmp(place, path) != 0 && try(finder, place, proof, found))
            return true;
    }
    return false;
}

bool debug_file_find(struct debug_finder *finder, const struct elf_file *binary, const char *path,
                     struct elf_file *found)
{
    struct id id = id_of(binary);
    GElf_Word checksum = 0;
    const char *slash = strrchr(path, '/');
    if (by_build_id(finder, id, ".debug", &(struct proof){.id = id}, found))
        return true;
    if (!slash)
        return false;
    AUTO_FREE char *directory = xstrndup(path, (size_t)(slash - path));
    const char *link = dwelf_elf_gnu_debuglink(binary->image->elf, &checksum);
    struct proof by_link = {.id = id, .by_checksum = true, .checksum = checksum};
    if (is_plain(link) && by_name(finder, directory, link, path, &by_link, found))
        return true;
    AUTO_FREE char *beside = xasprintf("%s.debug", slash + 1);
    return id.length && (!link || strcmp(link, beside) != 0) &&
           by_name(finder, directory, beside, path, &(struct proof){.id = id}, found);
}

bool debug_file_take(struct debug_finder *finder, const struct elf_file *binary, const char *where,
                     struct elf_file *found)
{
    struct proof proof = {.id = id_of(binary)};
    return proof.id.length && try(finder, where, &proof, found);
}

// The link of dwz is a path, often relative to the file that holds it.
bool debug_file_find_common(struct debug_finder *finder, Dwarf *dwarf, const char *path,
                            struct elf_file *found, bool *linked)
{
    const char *link;
    const void *bytes;
    ssize_t length = dwelf_dwarf_gnu_debugaltlink(dwarf, &link, &bytes);
    *linked = length > 0;
    if (length < ID_LEAST || length > BUILD_ID_MAX)
        return false;
    struct id id = {bytes, (size_t)length};
    struct proof proof = {.id = id};
    if (by_build_id(finder, id, ".debug", &proof, found))
        return true;
    if (strnlen(link, PATH_MAX) >= PATH_MAX)
        return false;
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *place =
        link[0] == '/' || !slash
            ? xstrdup(link)
            : xasprintf("%.*s/%s", (int)(slash - path), path, link);
    return try(finder, place, &proof, found);
}

bool debug_file_find_package(struct debug_finder *finder, const struct elf_file *binary,
                             const char *path, struct elf_file *found)
{
    static const char *const endings[] = {".dwp", ".debug.dwp"};
    static const struct proof proof = {.in_parts = true};
    struct id id = id_of(binary);
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        AUTO_FREE char *name = slash ? xasprintf("%s%s", slash + 1, endings[i]) : NULL;
        if (name && by_name(finder, directory, name, path, &proof, found))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++)
        if (by_build_id(finder, id, endings[i], &proof, found))
            return true;
    return false;
}
