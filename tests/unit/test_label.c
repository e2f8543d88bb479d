// SPDX-License-Identifier: MIT
#include "tui/label.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name, *label;
} names[] = {
    {"std::vector<int, std::allocator<int>>::push_back", "std::vector<..>::push_back"},
    {"f<int>", "f<int>"}, // short enough
    {"f<char*, g<int*>>(h<double, 3>)", "f<..>(h<..>)"},
    {"operator<<", "operator<<"},
    {"operator<< <char, traits>", "operator<< <..>"},
    {"operator-><int, char>", "operator-><..>"},
    {"f<&X::operator->, char>", "f<..>"},
    {"open<and<never<closed, here>", "open<and<never<..>"},
    {"closed>before<it, opens>", "closed>before<..>"},
    {"<T as Trait>::call", "<T as Trait>::call"}, // at the beginning it is the name
    {"", ""},
};

static void assert_label(const char *name, const char *expected)
{
    static const struct state state;
    struct function function = {.name = name, .system_name = name};
    AUTO_BUF struct buf label = {0};
    label_function(&state, &function, false, &label);
    ck_assert_str_eq(label.data, expected);
}

START_TEST(template_arguments_are_folded)
{
    assert_label(names[_i].name, names[_i].label);
}
END_TEST

START_TEST(thousands_that_stay_open)
{
    static char name[200001];
    memset(name, '<', sizeof name - 1);
    for (size_t i = 0; i < sizeof name - 1; i += 2)
        name[i] = 'a';
    assert_label(name, name);
}
END_TEST

Suite *suite_label(void)
{
    Suite *suite = suite_create("label");
    TCase *cases = tcase_create("label");
    tcase_add_loop_test(cases, template_arguments_are_folded, 0, ARRAY_LENGTH(names));
    tcase_add_test(cases, thousands_that_stay_open);
    suite_add_tcase(suite, cases);
    return suite;
}
