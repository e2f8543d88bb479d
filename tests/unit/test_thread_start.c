// SPDX-License-Identifier: MIT
// The function that a thread started in, by stacks that are made up.
#include "dump/thread_start.h"

#include <check.h>

#include "base/mem.h"

#define FRAMES 8

static struct module libc = {.name = "libc.so.6"}, program = {.name = "program"},
                     language = {.name = "libstdc++.so.6.0.30"};

struct made { // a frame: NULL for a name that is not known
    const struct module *module;
    const char *names[4]; // of its lines, what is inlined first; ends in NULL
};

static struct dump_frame frames[FRAMES];
static struct symbol symbols[FRAMES];
static struct symbol_line lines[FRAMES][4];

// Returns the name of the function that the thread started in, leaf first.
static const char *start_of(bool main_thread, const struct made *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t line = 0;
        for (; made[i].names[line]; line++)
            lines[i][line] = (struct symbol_line){.name = made[i].names[line]};
        lines[i][line] = (struct symbol_line){.name = "?"};
        symbols[i] = (struct symbol){
            .found = line, .lines = lines[i], .line_count = line ? line : 1};
        frames[i] = (struct dump_frame){.module = made[i].module, .symbol = &symbols[i]};
    }
    struct dump_thread thread = {.frames = frames, .frame_count = count};
    const struct dump_frame *frame = thread_start_frame(&thread, main_thread);
    return frame ? thread_start_line(frame)->name : "";
}

#define START(main_thread, ...)                                                                    \
    start_of(main_thread, (const struct made[]){__VA_ARGS__},                                      \
             ARRAY_LENGTH(((const struct made[]){__VA_ARGS__})))

START_TEST(of_c)
{
    ck_assert_str_eq(START(false, {&libc, {"read"}}, {&program, {"serve"}}, {&program, {"run"}},
                           {&libc, {"start_thread"}}, {&libc, {"clone3"}}), "run");
    // A library without symbols, and one of whose own functions is the first.
    ck_assert_str_eq(START(false, {&program, {"run"}}, {&libc, {NULL}}, {&libc, {NULL}}), "run");
    ck_assert_str_eq(START(false, {&libc, {"timer_helper_thread"}}, {&libc, {"start_thread"}},
                           {&libc, {"clone3"}}), "timer_helper_thread");
    // A static program.
    ck_assert_str_eq(START(false, {&program, {"serve"}}, {&program, {"run"}},
                           {&program, {"start"}}, {&program, {"__clone"}}), "run");
}
END_TEST

START_TEST(of_the_main_thread)
{
    ck_assert_str_eq(START(true, {&program, {"work"}}, {&program, {"main"}},
                           {&libc, {"__libc_start_call_main"}}, {&libc, {"__libc_start_main"}},
                           {&program, {"_start"}}), "main");
    // Without symbols: behind the C library.
    ck_assert_str_eq(START(true, {&program, {"leaf"}}, {&program, {"stripped"}}, {&libc, {NULL}},
                           {&libc, {NULL}}, {&program, {NULL}}), "stripped");
}
END_TEST

START_TEST(of_other_languages)
{
    ck_assert_str_eq(START(false, {&libc, {"pause"}}, {&program, {"worker()"}},
                           {&program, {"std::thread::_State_impl<X>::_M_run()"}},
                           {&language, {NULL}}, {&libc, {NULL}}, {&libc, {NULL}}), "worker()");
    ck_assert_str_eq(START(false, {&libc, {"pause"}},
                           {&program, {"operator()", "std::__invoke<X>",
                                       "std::thread::_State_impl<X>::_M_run()"}},
                           {&language, {"execute_native_thread_routine"}},
                           {&libc, {"start_thread"}}, {&libc, {"clone3"}}), "operator()");
    ck_assert_str_eq(START(false, {&program, {"mine::dig"}},
                           {&program, {"std::sys::backtrace::__rust_begin_short_backtrace"}},
                           {&program, {"core::ops::function::FnOnce::call_once{{vtable.shim}}"}},
                           {&program, {"<std::sys::thread::unix::Thread>::new::thread_start"}},
                           {&libc, {"start_thread"}}, {&libc, {"clone3"}}), "mine::dig");
}
END_TEST

START_TEST(of_stacks_that_do_not_tell)
{
    struct dump_thread none = {.frame_count = 0};
    ck_assert_ptr_null(thread_start_frame(&none, true));
    START(false, {&program, {"work"}});
    struct dump_thread cut = {.frames = frames, .frame_count = 1, .end = UNWIND_SHORT};
    ck_assert_ptr_null(thread_start_frame(&cut, false));
    cut.end = UNWIND_BOTTOM;
    ck_assert_ptr_eq(thread_start_frame(&cut, false), frames);
    ck_assert_ptr_eq(thread_start_frame(&cut, true), frames);
}
END_TEST

Suite *suite_thread_start(void);
Suite *suite_thread_start(void)
{
    Suite *suite = suite_create("thread_start");
    TCase *tests = tcase_create("thread_start");
    tcase_add_test(tests, of_c);
    tcase_add_test(tests, of_the_main_thread);
    tcase_add_test(tests, of_other_languages);
    tcase_add_test(tests, of_stacks_that_do_not_tell);
    suite_add_tcase(suite, tests);
    return suite;
}
