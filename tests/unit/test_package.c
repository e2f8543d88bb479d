// SPDX-License-Identifier: MIT
// By what dpkg knows of the files of this machine; where it knows nothing, nothing is advised.
#include "symbol/package.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/skip.h"

static const struct {
    const char *path, *list, *advised; // list: that names the path, if its package is installed
} cases[] = {
    {"/usr/bin/perl", "/var/lib/dpkg/info/perl-base.list", "perl-debug"},
    {"/usr/bin/ldd", "/var/lib/dpkg/info/libc-bin.list", "libc6-dbg"},
    {"/usr/bin/cat", "/var/lib/dpkg/info/coreutils.list", "coreutils-dbgsym"},
    {"/proc/self/exe", "/", NULL},
};

START_TEST(advice)
{
    struct stat info;
    struct module module = {.kind = MODULE_FILE, .path = (char *)(uintptr_t)cases[_i].path};
    SKIP_IF(access(cases[_i].list, R_OK) != 0, "no list of dpkg has that package");
    SKIP_IF(stat(module.path, &info) != 0, "that program is not installed");
    module.inode = info.st_ino;
    AUTO_FREE char *found = package_with_symbols(&module);
    ck_assert_pstr_eq(found, cases[_i].advised);
    module.inode++; // what is loaded is another file than ours
    ck_assert_ptr_null(package_with_symbols(&module));
}
END_TEST

Suite *suite_package(void)
{
    Suite *suite = suite_create("package");
    TCase *tcase = tcase_create("package");
    tcase_add_loop_test(tcase, advice, 0, ARRAY_LENGTH(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
