// SPDX-License-Identifier: MIT
// many_modules DIRECTORY: loads every file of the directory and calls its function `work` in turn,
// for ever. Built with -DLIBRARY it is such a file.
#include <dirent.h>
#include <dlfcn.h>

#include "target.h"

#ifdef LIBRARY

DISTINCT void work(void);
void work(void)
{
    burn();
}

#else

#define MOST 4096

static void (*calls[MOST])(void);

static void load(const char *directory, const char *name, int *count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    void *handle = dlopen(path, RTLD_NOW);
    void *work = handle ? dlsym(handle, "work") : NULL;
    if (work && *count < MOST)
        memcpy(&calls[(*count)++], &work, sizeof work);
}

int main(int argc, char **argv)
{
    int count = 0;
    DIR *list = argc > 1 ? opendir(argv[1]) : NULL;
    if (!list)
        die("directory");
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            load(argv[1], entry->d_name, &count);
    closedir(list);
    ready();
    for (;;)
        for (int i = 0; i < count; i++)
            calls[i]();
}

#endif
