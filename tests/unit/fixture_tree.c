// SPDX-License-Identifier: MIT
#include "tests/unit/fixture_tree.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

char tree_root[] = "/tmp/ptprof-tree-XXXXXX";

void tree_make(void)
{
    strcpy(tree_root + strlen(tree_root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree_root));
}

void tree_put(const char *path, const char *text)
{
    AUTO_FREE char *whole = xasprintf("%s%s", tree_root, path);
    for (char *slash = strchr(whole + strlen(tree_root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0755);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

void tree_remove(void)
{
    nftw(tree_root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
