// SPDX-License-Identifier: MIT
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbol/roots.h"
#include "tests/unit/skip.h"

static char directory[] = "/tmp/test_roots.XXXXXX";
static struct roots roots;

static char *inside(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static void setup(void)
{
    strcpy(strrchr(directory, '.'), ".XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void)
{
    AUTO_FREE char *command = xasprintf("rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
    roots_fini(&roots);
}

static void refused(const char *path)
{
    ck_assert_msg(roots_open(&roots, path) == -1, "%s was opened", path);
}

START_TEST(test_elf_files)
{
    char self[PATH_MAX];
    ck_assert_ptr_nonnull(realpath("/proc/self/exe", self));
    int fd = roots_open(&roots, self);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
    AUTO_FREE char *link = inside("link");
    ck_assert_int_eq(symlink(self, link), 0);
    fd = roots_open(&roots, link);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(test_what_is_no_elf_file)
{
    AUTO_FREE char *fifo = inside("fifo"), *loop = inside("loop"), *huge = inside("huge");
    AUTO_FREE char *text = inside("text"), *empty = inside("empty");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink(loop, loop), 0);
    AUTO_FD int sparse = open(huge, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(ftruncate(sparse, 1ll << 40), 0);
    AUTO_FD int words = open(text, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(words, "secret words", 12), 12);
    AUTO_FD int nothing = open(empty, O_CREAT | O_WRONLY, 0600);
    const char *const paths[] = {fifo, loop,        huge,        text,          empty,
                                 "/",  "/dev/zero", "/dev/tty",  "/nonexistent", "relative",
                                 "",   directory,   "/etc/passwd", "/proc/kcore"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        refused(paths[i]);
}
END_TEST

static void view_directory(struct rights rights)
{
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    roots.views[roots.count++] = (struct root_view){.fd = fd, .rights = rights};
}

// A link in a target's root leads to what it leads to there.
START_TEST(test_links_stay_in_the_root)
{
    char self[PATH_MAX];
    AUTO_FREE char *link = inside("bin"), *copy = inside("copy");
    ck_assert_ptr_nonnull(realpath("/proc/self/exe", self));
    ck_assert_int_eq(symlink("/copy", link), 0);
    AUTO_FREE char *command = xasprintf("cp /bin/true %s", copy);
    ck_assert_int_eq(system(command), 0);
    view_directory((struct rights){0});
    struct stat found, wanted;
    AUTO_FD int fd = roots_open(&roots, "/bin");
    ck_assert_int_eq(fstat(fd, &found), 0);
    ck_assert_int_eq(stat(copy, &wanted), 0);
    ck_assert_uint_eq(found.st_ino, wanted.st_ino);
    refused("/../../../../etc/passwd");
}
END_TEST

// What a target has below its root, and we below ours, may be a link that it made: to a file that
// it cannot reach. The file itself is ours to give.
START_TEST(test_own_links_are_not_followed_for_others)
{
    AUTO_FREE char *link = inside("link"), *copy = inside("copy");
    AUTO_FREE char *command = xasprintf("cp /bin/true %s", copy);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(symlink(copy, link), 0);
    view_directory((struct rights){0});
    refused(link);
    AUTO_FD int fd = roots_open(&roots, copy);
    ck_assert_int_ge(fd, 0);
}
END_TEST

START_TEST(test_rights_of_the_target)
{
    AUTO_FREE char *copy = inside("copy");
    AUTO_FREE char *command =
        xasprintf("chmod 755 %s; cp /bin/true %s; chmod 600 %s", directory, copy, copy);
    ck_assert_int_eq(system(command), 0);
    SKIP_IF(geteuid() != 0, "only root has more rights than others");
    view_directory((struct rights){.uid = 65534, .gid = 65534, .known = true});
    refused("/copy");
    AUTO_FD int ours = open(copy, O_RDONLY | O_CLOEXEC); // nothing of ours has changed
    ck_assert_int_ge(ours, 0);
    view_directory(rights_own());
    AUTO_FD int fd = roots_open(&roots, "/copy");
    ck_assert_int_ge(fd, 0);
}
END_TEST

START_TEST(test_each_root_once)
{
    roots_add(&roots, getpid());
    roots_add(&roots, getpid());
    roots_add(&roots, 0x7ffffff0); // there is none
    ck_assert_uint_eq(roots.count, 1);
    ck_assert(roots.views[0].ours);
    int hold[2];
    ck_assert_int_eq(pipe(hold), 0);
    pid_t pids[2];
    for (int i = 0; i < 2; i++)
        if ((pids[i] = fork()) == 0) {
            char go = chroot(directory) == 0 ? '1' : '0';
            if (write(hold[1], &go, 1) == 1)
                pause();
            _exit(0);
        }
    char went[2] = "";
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(read(hold[0], &went[i], 1), 1);
    for (int i = 0; i < 2; i++)
        roots_add(&roots, pids[i]);
    for (int i = 0; i < 2; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
        close(hold[i]);
    }
    ck_assert_uint_eq(roots.count, 1 + (went[0] == '1')); // only root may chroot
}
END_TEST

Suite *suite_roots(void)
{
    Suite *suite = suite_create("roots");
    TCase *cases = tcase_create("roots");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_elf_files);
    tcase_add_test(cases, test_what_is_no_elf_file);
    tcase_add_test(cases, test_links_stay_in_the_root);
    tcase_add_test(cases, test_own_links_are_not_followed_for_others);
    tcase_add_test(cases, test_rights_of_the_target);
    tcase_add_test(cases, test_each_root_once);
    suite_add_tcase(suite, cases);
    return suite;
}
