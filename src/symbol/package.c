// SPDX-License-Identifier: MIT
#include "symbol/package.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define LISTS "/var/lib/dpkg/info"
#define LIST_MAX (64u << 20) // bytes

// A list has one path on each line.
static bool list_holds(const struct buf *list, const char *path)
{
    size_t length = strlen(path);
    for (const char *at = list->data; (at = strstr(at, path)); at += length)
        if ((at == list->data || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
            return true;
    return false;
}

// A list is called "NAME.list" or "NAME:ARCHITECTURE.list".
static char *package_of_list(const char *name)
{
    size_t length = strlen(name), ending = strlen(".list");
    if (length <= ending || strcmp(name + length - ending, ".list") != 0)
        return NULL;
    size_t end = strcspn(name, ":");
    return xstrndup(name, end < length ? end : length - ending);
}

// dpkg lists the path with which a file was packed: /lib/x for a file that is /usr/lib/x now.
static bool list_names(int directory, const char *list, const char *path)
{
    AUTO_FD int fd = openat(directory, list, O_RDONLY | O_CLOEXEC);
    AUTO_BUF struct buf text = {0};
    if (fd < 0 || buf_read_fd(&text, fd, LIST_MAX) != RC_OK || !text.length)
        return false;
    return list_holds(&text, path) ||
           (strncmp(path, "/usr/", 5) == 0 && list_holds(&text, path + 4));
}

static char *package_of(const char *path)
{
    DIR *lists = opendir(LISTS);
    char *found = NULL;
    if (!lists)
        return NULL;
    for (struct dirent *entry; !found && (entry = readdir(lists));) {
        AUTO_FREE char *package = package_of_list(entry->d_name);
        if (package && list_names(dirfd(lists), entry->d_name, path))
            found = steal_ptr(&package);
    }
    closedir(lists);
    return found;
}

// Packages of Debian 12 whose symbols are in a package made by hand, not in a -dbgsym.
static const char *const by_hand[][2] = {
    {"libc6", "libc6-dbg"},
    {"libc-bin", "libc6-dbg"},
    {"python3.11-minimal", "python3.11-dbg"},
    {"libpython3.11", "python3.11-dbg"},
    {"libpython3.11-minimal", "python3.11-dbg"},
    {"libpython3.11-stdlib", "python3.11-dbg"},
    {"perl-base", "perl-debug"},
    {"perl", "perl-debug"},
    {"libperl5.36", "perl-debug"},
    {"libdb5.3", "libdb5.3-dbg"},
    {"libkrb5-3", "libkrb5-dbg"},
    {"libgssapi-krb5-2", "libkrb5-dbg"},
    {"libk5crypto3", "libkrb5-dbg"},
    {"libkrb5support0", "libkrb5-dbg"},
    {"libbinutils", "libbinutils-dbg"},
    {"binutils-x86-64-linux-gnu", "binutils-x86-64-linux-gnu-dbg"},
};

char *package_with_symbols(const struct module *module)
{
    struct stat info;
    AUTO_FREE char *package = module->kind == MODULE_FILE ? package_of(module->path) : NULL;
    // The file is touched only now, because a path that belongs to no package may lead to a file
    // system that does not answer.
    if (!package || stat(module->path, &info) != 0 || info.st_ino != module->inode)
        return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(by_hand); i++)
        if (strcmp(package, by_hand[i][0]) == 0)
            return xstrdup(by_hand[i][1]);
    return xasprintf("%s-dbgsym", package);
}
