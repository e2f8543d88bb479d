// SPDX-License-Identifier: MIT
// The maps of this process and of children of it.
#include "process/maps.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/skip.h"

#define PAGE 4096u

static struct maps maps;

static void set_up(void)
{
    ck_assert_int_eq(maps_open(&maps, getpid(), getpid()), RC_OK);
}

static void tear_down(void)
{
    maps_close(&maps);
}

static void read_all(void)
{
    AUTO_BUF struct buf text = {0};
    ck_assert_int_eq(maps_read(&maps, &text), RC_OK);
    ck_assert_uint_gt(text.length, 0);
}

static void *map_page(void)
{
    void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    return page;
}

START_TEST(text_is_compared)
{
    bool same;
    void *page = map_page();
    read_all(); // which may itself have changed what is mapped
    read_all();
    ck_assert_int_eq(maps_compare(&maps, &same), RC_OK);
    ck_assert(same);
    ck_assert_int_eq(mprotect(page, PAGE, PROT_READ | PROT_EXEC), 0);
    ck_assert_int_eq(maps_compare(&maps, &same), RC_OK);
    ck_assert(!same);
    munmap(page, PAGE);
}
END_TEST

START_TEST(one_address)
{
    struct proc_map map;
    void *page = map_page();
    uint64_t address = (uint64_t)(uintptr_t)page;
    enum maps_answer answer = maps_ask(&maps, address + 1, &map);
    ck_assert_int_eq(maps.deaf, answer == MAPS_DEAF);
    SKIP_IF(maps.deaf, "this kernel does not answer for single addresses");
    ck_assert_int_eq(answer, MAPS_FOUND);
    ck_assert(map.readable && !map.executable && !map.inode);
    ck_assert_uint_le(map.start, address);
    ck_assert_uint_ge(map.end, address + PAGE);
    munmap(page, PAGE);
    ck_assert_int_eq(maps_ask(&maps, address, &map), MAPS_NOTHING);
}
END_TEST

static int gate[2];

static pid_t child_that_executes(const char *path)
{
    ck_assert_int_eq(pipe(gate), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        dup2(gate[0], STDIN_FILENO);
        close(gate[1]);
        if (read(STDIN_FILENO, &byte, 1) == 1)
            execl(path, path, (char *)NULL); // cat: reads on
        _exit(1);
    }
    close(gate[0]);
    return child;
}

START_TEST(an_exec_ends_the_image)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    struct maps of_child;
    pid_t child = child_that_executes("/bin/cat");
    AUTO_FREE char *path = xasprintf("/proc/%d/task", child);
    AUTO_FD int task_fd = open(path, O_RDONLY | O_DIRECTORY);
    AUTO_FD int file = maps_file_open(task_fd, child, "maps");
    ck_assert(maps_file_is_current(file));
    ck_assert_int_eq(maps_open(&of_child, child, child), RC_OK);
    uint64_t before = maps_image_number(child, child), after;
    ck_assert_uint_ne(before, 0);
    ck_assert_uint_eq(maps_image_number(child, child), before);
    ck_assert_int_eq(maps_read(&of_child, &text), RC_OK);
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    while ((after = maps_image_number(child, child)) == before || !after)
        usleep(1000);
    ck_assert(!maps_file_is_current(file));
    ck_assert_int_eq(maps_read(&of_child, &text), RC_GONE);
    ck_assert_int_ne(maps_ask(&of_child, (uint64_t)(uintptr_t)&before, &map), MAPS_FOUND);
    maps_close(&of_child);
    close(gate[1]);
    waitpid(child, NULL, 0);
    ck_assert_uint_eq(maps_image_number(child, child), 0);
}
END_TEST

Suite *suite_maps(void)
{
    TCase *tests = tcase_create("maps");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, text_is_compared);
    tcase_add_test(tests, one_address);
    tcase_add_test(tests, an_exec_ends_the_image);
    Suite *suite = suite_create("maps");
    suite_add_tcase(suite, tests);
    return suite;
}
