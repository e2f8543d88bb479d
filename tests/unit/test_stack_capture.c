// SPDX-License-Identifier: MIT
// Copies of our own memory, in which pages are missing.
#include "sample/stack_capture.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#define PAGE 4096u
#define PAGES 16
#define ROOM (PAGES * PAGE)

static unsigned char *memory;
static struct capture *capture;
static struct stack_pages pages;
static struct stack_plan plan;

static void touch(size_t from, size_t to)
{
    for (size_t i = from * PAGE; i < to * PAGE; i++)
        memory[i] = (unsigned char)(i >> 8 ^ i);
}

static void set_up(void)
{
    memory = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    capture = xcalloc(1, sizeof *capture + ROOM);
    pages = (struct stack_pages){.fd = open("/proc/self/pagemap", O_RDONLY)};
    plan = (struct stack_plan){0};
    ck_assert_int_ge(pages.fd, 0);
}

static void tear_down(void)
{
    munmap(memory, ROOM);
    free(capture);
    close(pages.fd);
}

static uint64_t address(size_t offset)
{
    return (uint64_t)(uintptr_t)memory + offset;
}

static void copy(size_t sp, size_t room)
{
    capture->regs = registers_at(0, address(sp));
    stack_capture(getpid(), &(struct stack_request){&plan, pages, room}, capture);
}

static size_t pages_there(void)
{
    unsigned char there[PAGES];
    size_t count = 0;
    ck_assert_int_eq(mincore(memory, ROOM, there), 0);
    for (size_t i = 0; i < PAGES; i++)
        count += there[i] & 1;
    return count;
}

START_TEST(up_to_where_pages_are_missing)
{
    touch(1, 4);
    touch(5, 6);
    copy(PAGE + 1000, ROOM);
    ck_assert_uint_eq(capture->stack_length, 3 * PAGE - 1000);
    ck_assert_uint_eq(capture->red_zone, RED_ZONE);
    ck_assert_mem_eq(capture->below, memory + PAGE + 1000 - RED_ZONE, RED_ZONE);
    ck_assert_mem_eq(capture->stack, memory + PAGE + 1000, capture->stack_length);
    ck_assert_uint_eq(pages_there(), 4); // none was made for us
}
END_TEST

START_TEST(red_zone_of_which_the_page_is_missing)
{
    touch(1, 2);
    copy(PAGE + 64, ROOM);
    ck_assert_uint_eq(capture->red_zone, 64);
    ck_assert_mem_eq(capture->below + RED_ZONE - 64, memory + PAGE, 64);
    ck_assert_uint_eq(capture->stack_length, PAGE - 64);
    ck_assert_uint_eq(pages_there(), 1);
}
END_TEST

START_TEST(stack_pointer_where_nothing_is)
{
    copy(PAGE, ROOM);
    ck_assert_uint_eq(capture->stack_length + capture->red_zone, 0);
    capture->regs = registers_at(0, 0);
    stack_capture(getpid(), &(struct stack_request){&plan, pages, ROOM}, capture);
    ck_assert_uint_eq(capture->stack_length, 0);
    capture->regs = registers_at(0, UINT64_MAX - 7);
    stack_capture(getpid(), &(struct stack_request){&plan, pages, ROOM}, capture);
    ck_assert_uint_eq(capture->stack_length, 0);
    ck_assert_uint_eq(pages_there(), 0);
}
END_TEST

START_TEST(windows_of_each_kind)
{
    uint64_t pointed = address(12 * PAGE + 8);
    touch(1, 2);
    touch(8, 10);
    touch(12, 13);
    memcpy(memory + PAGE + 512, &pointed, sizeof pointed);
    plan.places[0] = address(8 * PAGE + 64) | WINDOW_AT;
    plan.places[1] = (9 * PAGE - 256) | WINDOW_ABOVE_SP;
    plan.places[2] = address(PAGE + 512) | WINDOW_POINTER;
    plan.places[3] = address(14 * PAGE) | WINDOW_AT; // nothing is there
    plan.lengths[0] = plan.lengths[1] = plan.lengths[3] = 128;
    copy(PAGE + 256, ROOM);
    const struct {
        uint64_t anchor, address;
        uint32_t length;
    } expected[] = {
        {address(8 * PAGE + 64), address(8 * PAGE), 64 + 128},
        {address(10 * PAGE), address(10 * PAGE), 0},
        {pointed, address(12 * PAGE), PAGE},
        {address(14 * PAGE), address(14 * PAGE), 0},
    };
    const unsigned char *bytes = capture->stack + capture->stack_length;
    ck_assert_uint_eq(capture->window_count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        ck_assert_uint_eq(capture->windows[i].anchor, expected[i].anchor);
        ck_assert_uint_eq(capture->windows[i].address, expected[i].address);
        ck_assert_uint_eq(capture->windows[i].length, expected[i].length);
        ck_assert_int_eq(memcmp(bytes, (const void *)(uintptr_t)expected[i].address,
                                expected[i].length), 0);
        bytes += expected[i].length;
    }
    ck_assert_uint_eq(stack_capture_bytes(capture), (size_t)(bytes - capture->stack));
    ck_assert_uint_eq(pages_there(), 4);
}
END_TEST

START_TEST(what_the_first_piece_holds_takes_no_window)
{
    touch(1, 4);
    plan.places[0] = address(2 * PAGE) | WINDOW_AT;
    copy(PAGE + 256, ROOM);
    ck_assert_uint_eq(capture->window_count, 0);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    touch(0, PAGES);
    plan.places[0] = address(10 * PAGE) | WINDOW_AT;
    for (size_t room = 0; room < 3 * PAGE; room += 100) {
        memset(capture->stack, 0x5a, ROOM);
        copy(256, room);
        ck_assert_uint_le(stack_capture_bytes(capture), room);
        ck_assert_uint_eq(capture->stack[room], 0x5a);
        ck_assert_uint_eq(capture->stack_asked, capture->stack_length);
    }
    ck_assert_uint_eq(capture->window_count, 1);
}
END_TEST

START_TEST(without_sight_of_pages)
{
    touch(1, 2);
    touch(3, 4);
    close(pages.fd);
    pages.fd = -1;
    copy(PAGE + 256, ROOM);
    ck_assert_uint_eq(capture->stack_length, PAGE - 256); // its own page
    ck_assert_uint_eq(capture->flags & CAPTURE_PAGES_UNKNOWN, CAPTURE_PAGES_UNKNOWN);
    plan.there = address(0);
    plan.there_end = address(ROOM); // known to be the stack's
    plan.bytes = 2 * PAGE;
    copy(PAGE + 256, ROOM);
    ck_assert_uint_eq(capture->stack_length, 2 * PAGE);
}
END_TEST

START_TEST(plans_are_of_one_thread)
{
    AUTO_FREE struct stack_hints *hints = xcalloc(1, sizeof *hints);
    struct stack_plan got, told = {.bytes = 5000, .reach = 1, .root = 2, .there = 3, .there_end = 4,
                                   .places = {5 | WINDOW_AT}, .lengths = {6}, .version = 7};
    stack_hints_get(hints, 0, &got);
    ck_assert_uint_eq(got.bytes, 0);
    stack_hints_tell(hints, 7, &told);
    stack_hints_get(hints, 7, &got);
    ck_assert_mem_eq(&got, &told, sizeof got);
    ck_assert(stack_hints_learnt(hints, 7));
    stack_hints_get(hints, 7 + STACK_HINTS, &got); // has the same place
    ck_assert_uint_eq(got.bytes, 0);
    ck_assert(!stack_hints_learnt(hints, 7 + STACK_HINTS));
}
END_TEST

Suite *suite_stack_capture(void);

Suite *suite_stack_capture(void)
{
    Suite *suite = suite_create("stack_capture");
    TCase *tcase = tcase_create("stack_capture");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, up_to_where_pages_are_missing);
    tcase_add_test(tcase, red_zone_of_which_the_page_is_missing);
    tcase_add_test(tcase, stack_pointer_where_nothing_is);
    tcase_add_test(tcase, windows_of_each_kind);
    tcase_add_test(tcase, what_the_first_piece_holds_takes_no_window);
    tcase_add_test(tcase, no_more_than_there_is_room_for);
    tcase_add_test(tcase, without_sight_of_pages);
    tcase_add_test(tcase, plans_are_of_one_thread);
    suite_add_tcase(suite, tcase);
    return suite;
}
