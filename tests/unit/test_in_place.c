// SPDX-License-Identifier: MIT
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/regions.h"
#include "sample/in_place.h"
#include "symbol/reader/objects.h"

#define STACK_BYTES 4096

static int pipes[2];
static _Atomic pid_t sleeper;

static void *sleep_in_read(void *unused)
{
    char byte;
    sleeper = (pid_t)syscall(SYS_gettid);
    (void)unused;
    return read(pipes[0], &byte, 1) < 0 ? unused : NULL;
}

START_TEST(a_thread_that_sleeps)
{
    pthread_t thread;
    struct in_place_thread seen;
    struct sleep_clock clock;
    enum in_place result;
    AUTO_FREE struct capture *capture = xcalloc(1, sizeof *capture + STACK_BYTES);
    AUTO_FD int task_fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    const struct stack_plan plan = {0};
    const struct stack_request request = {&plan, {.fd = -1}, STACK_BYTES};
    sleep_clock_init(&clock, NULL);
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, sleep_in_read, NULL), 0);
    do { // until it sleeps
        usleep(1000);
        result = sleeper ? in_place_read(task_fd, sleeper, &clock, &seen, capture, &request)
                         : IN_PLACE_RUNNING;
    } while (result != IN_PLACE_READ);
    ck_assert_int_eq(seen.state, 'S');
    ck_assert_int_eq(seen.call.number, SYS_read);
    ck_assert_uint_eq(seen.call.args[0], (uint64_t)pipes[0]);
    ck_assert_uint_eq(capture_sp(capture), seen.call.sp);
    ck_assert_uint_eq(capture->flags & CAPTURE_IN_PLACE, CAPTURE_IN_PLACE);
    ck_assert_uint_gt(capture->stack_length, 64);
    ck_assert_int_eq(memcmp(capture->stack, (const void *)(uintptr_t)seen.call.sp, 64), 0);
    ck_assert_int_le(seen.asleep_since, clock_now());
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(in_place_read(task_fd, sleeper, NULL, &seen, capture, &request),
                     IN_PLACE_GONE);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

START_TEST(when_it_went_to_sleep)
{
    struct sleep_clock clock;
    sleep_clock_init(&clock, NULL);
    clock.cpus[3] = (struct sleep_cpu){.asked = true, .known = true, .ahead = 1000};
    clock.cpus[4] = (struct sleep_cpu){.asked = true};
    static const char text[] = "cat (1, #threads: 1)\n----\nse.exec_start          :     "
                               "12.345678\nse.vruntime : 3.0\n";
    ck_assert_int_eq(sleep_clock_since(&clock, 3, text), 12345678 + 1000);
    ck_assert_int_eq(sleep_clock_since(&clock, 4, text), 0);
    ck_assert_int_eq(sleep_clock_since(&clock, -1, text), 0);
    ck_assert_int_eq(sleep_clock_since(&clock, SLEEP_CPUS, text), 0);
    ck_assert_int_eq(sleep_clock_since(&clock, 3, "se.exec_start"), 0);
    ck_assert_int_eq(sleep_clock_since(&clock, 3, ""), 0);
}
END_TEST

int test_in_place_variable[10] = {1};

START_TEST(variables_of_this_program)
{
    struct image *image;
    struct objects *objects;
    struct regions regions = {0};
    uint64_t address = (uint64_t)(uintptr_t)&test_in_place_variable[2];
    ck_assert_int_eq(regions_read(&regions, getpid(), getpid()), RC_OK);
    const struct proc_map *map = regions_find(&regions, address);
    ck_assert_ptr_nonnull(map);
    ck_assert(map->writable && address >= map->start && address < map->end);
    ck_assert_ptr_null(regions_find(&regions, 1));
    ck_assert_ptr_null(regions_find(&regions, UINT64_MAX));
    ck_assert_int_eq(image_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &image, NULL),
                     RC_OK);
    uint64_t base = map->start, vaddr;
    for (size_t i = 0; i < regions.count; i++)
        if (strcmp(regions.list[i].path, map->path) == 0 && regions.list[i].start < base)
            base = regions.list[i].start;
    vaddr = address - (image->segments[0].vaddr ? 0 : base);
    objects = objects_new(image);
    const struct object *object = objects_find(objects, vaddr);
    ck_assert_str_eq(object->name, "test_in_place_variable");
    ck_assert_uint_eq(vaddr - object->address, 2 * sizeof(int));
    ck_assert_ptr_eq(objects_named(objects, "test_in_place_variable"), object);
    ck_assert_ptr_null(objects_find(objects, 0));
    ck_assert_ptr_null(objects_named(objects, "no such variable"));
    objects_free(objects);
    image_free(image);
    regions_fini(&regions);
}
END_TEST

Suite *suite_in_place(void);
Suite *suite_in_place(void)
{
    TCase *tests = tcase_create("in_place");
    tcase_add_test(tests, a_thread_that_sleeps);
    tcase_add_test(tests, when_it_went_to_sleep);
    tcase_add_test(tests, variables_of_this_program);
    Suite *suite = suite_create("in_place");
    suite_add_tcase(suite, tests);
    return suite;
}
