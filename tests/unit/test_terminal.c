// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/terminal.h"

static const struct {
    enum color_mode flag;
    bool is_terminal;
    const char *term, *no_color, *ptprof_color; // NULL: not set
    bool colored;
} cases[] = {
    {COLOR_AUTO, true, "xterm", NULL, NULL, true},
    {COLOR_AUTO, false, "xterm", NULL, NULL, false},
    {COLOR_AUTO, true, "dumb", NULL, NULL, false},
    {COLOR_AUTO, true, NULL, NULL, NULL, false},
    {COLOR_AUTO, true, "xterm", "1", NULL, false},
    {COLOR_AUTO, true, "xterm", "", NULL, true},
    {COLOR_AUTO, false, "xterm", "1", "always", true},
    {COLOR_AUTO, true, "xterm", NULL, "never", false},
    {COLOR_AUTO, true, "xterm", NULL, "purple", true},
    {COLOR_ALWAYS, false, "dumb", "1", "never", true},
    {COLOR_NEVER, true, "xterm", NULL, "always", false},
};

static void set(const char *name, const char *value)
{
    ck_assert_int_eq(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

START_TEST(decides_on_color)
{
    set("TERM", cases[_i].term);
    set("NO_COLOR", cases[_i].no_color);
    set("PTPROF_COLOR", cases[_i].ptprof_color);
    ck_assert(terminal_color_of(cases[_i].is_terminal, cases[_i].flag) == cases[_i].colored);
}
END_TEST

START_TEST(width_without_a_terminal)
{
    set("COLUMNS", "120");
    ck_assert_uint_eq(terminal_width(-1), 120);
    set("COLUMNS", "-3");
    ck_assert_uint_eq(terminal_width(-1), 80);
    set("COLUMNS", NULL);
    ck_assert_uint_eq(terminal_width(-1), 80);
}
END_TEST

Suite *suite_terminal(void);
Suite *suite_terminal(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tests = tcase_create("terminal");
    tcase_add_loop_test(tests, decides_on_color, 0, ARRAY_LENGTH(cases));
    tcase_add_test(tests, width_without_a_terminal);
    suite_add_tcase(suite, tests);
    return suite;
}
