// SPDX-License-Identifier: MIT
// What lies at a path that a target chose, here and in a root directory of its own.
#include "process/regular_file.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/skip.h"

static char directory[] = "/tmp/ptprof-unit-XXXXXX";

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static void make_file(const char *name, const char *text)
{
    AUTO_FREE char *path = path_of(name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void make_link(const char *name, const char *to)
{
    AUTO_FREE char *path = path_of(name);
    ck_assert_int_eq(symlink(to, path), 0);
}

static void make_directory(const char *name)
{
    AUTO_FREE char *path = path_of(name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
    AUTO_FREE char *command = xasprintf("rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static bool opens(const char *name)
{
    struct stat info;
    AUTO_FREE char *path = path_of(name);
    AUTO_FD int fd = regular_file_open(path, &info);
    return fd >= 0;
}

START_TEST(files_only)
{
    AUTO_FREE char *fifo = path_of("fifo");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    AUTO_FD int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    make_file("file", "text");
    make_directory("folder");
    make_link("device", "/dev/zero");
    make_link("loop", "loop");
    ck_assert(opens("file"));
    static const char *const others[] = {"fifo", "socket", "folder", "device", "loop", "missing"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        ck_assert_msg(!opens(others[i]), "%s is opened", others[i]);
}
END_TEST

// A process whose root is the directory.
static pid_t chrooted(void)
{
    int pipes[2];
    char done = '0';
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        done = chroot(directory) == 0 ? '1' : '0';
        if (write(pipes[1], &done, 1) == 1)
            pause();
        _exit(0);
    }
    ck_assert_int_eq(read(pipes[0], &done, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
    if (done == '1')
        return child;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

// What the file holds that the process has under that name; NULL: none.
static char *read_inside(pid_t child, const char *path)
{
    struct stat info;
    char text[16] = "";
    AUTO_FD int fd = regular_file_open_inside(child, path, &info);
    return fd >= 0 && read(fd, text, sizeof text - 1) >= 0 ? xstrdup(text) : NULL;
}

START_TEST(inside_its_root)
{
    static const struct {
        const char *path, *holds;
    } cases[] = {
        {"/folder/file", "inner"},    {"/absolute/file", "inner"}, {"/relative/file", "inner"},
        {"/outside/hostname", NULL},  {"/upwards/etc/passwd", NULL}, {"/last", NULL},
        {"/folder", NULL},            {"folder/file", NULL},
    };
    make_directory("folder");
    make_file("folder/file", "inner");
    make_link("absolute", "/folder");
    make_link("relative", "../../folder");
    make_link("outside", "/etc");
    make_link("upwards", "../../../../../../..");
    make_link("last", "/folder/file");
    pid_t child = chrooted();
    SKIP_IF(!child, "only root may change its root directory");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *text = read_inside(child, cases[i].path);
        ck_assert_msg(!text == !cases[i].holds && (!text || strcmp(text, cases[i].holds) == 0),
                      "%s: %s", cases[i].path, text ? text : "none");
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

Suite *suite_regular_file(void);

Suite *suite_regular_file(void)
{
    Suite *suite = suite_create("regular_file");
    TCase *tests = tcase_create("regular_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, files_only);
    tcase_add_test(tests, inside_its_root);
    suite_add_tcase(suite, tests);
    return suite;
}
