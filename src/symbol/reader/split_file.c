// SPDX-License-Identifier: MIT
#include "symbol/reader/split_file.h"

#include <dwarf.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem.h"

struct split_file {
    struct elf_file elf;
    struct split_package *package;
};

static const char *name_of(Dwarf_Die *skeleton)
{
    Dwarf_Attribute found;
    if (!dwarf_attr(skeleton, DW_AT_dwo_name, &found) &&
        !dwarf_attr(skeleton, DW_AT_GNU_dwo_name, &found))
        return NULL;
    return dwarf_formstring(&found);
}

struct split_file *split_file_open(Dwarf_Die *skeleton, const char *directory)
{
    const char *name = name_of(skeleton);
    if (!name || (name[0] != '/' && !directory[0]))
        return NULL;
    AUTO_FREE char *path =
        name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", directory, name);
    // In the symbol process this call asks the main process for the file (broker in sandbox.c).
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct split_file *file = xcalloc(1, sizeof *file);
    struct err err;
    if (fd >= 0 && elf_file_map(fd, &file->elf, &err) == RC_OK)
        file->package = split_package_of_unit(&file->elf);
    if (file->package)
        return file;
    split_file_close(file);
    return NULL;
}

void split_file_close(struct split_file *file)
{
    if (!file)
        return;
    split_package_free(file->package);
    elf_file_fini(&file->elf);
    free(file);
}

const struct split_package *split_file_package(const struct split_file *file)
{
    return file->package;
}
