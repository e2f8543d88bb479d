// SPDX-License-Identifier: MIT
#include "symbol/short_name.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *name, *folded, *bare;
} names[] = {
    {"main", "main", "main"},
    {"f(int)", "f(int)", "f"},
    {"void f<int>(int)", "void f<int>(int)", "f<int>"},
    {"std::vector<int, std::allocator<int> >::push_back(int const&)",
     "std::vector<..>::push_back(int const&)", "std::vector<..>::push_back"},
    {"unsigned long* ns::of<char, long long>(std::map<int, int>) const",
     "unsigned long* ns::of<..>(std::map<..>) const", "ns::of<..>"},
    {"std::ostream& operator<< <char>(std::ostream&, char)",
     "std::ostream& operator<< <..>(std::ostream&, char)", "operator<< <..>"},
    {"A::operator bool() const", "A::operator bool() const", "A::operator bool"},
    {"A::operator()(int) const", "A::operator()(int) const", "A::operator()"},
    {"A::operator->()", "A::operator->()", "A::operator->"},
    {"A::operator[](unsigned long)", "A::operator[](unsigned long)", "A::operator[]"},
    {"operator new(unsigned long)", "operator new(unsigned long)", "operator new"},
    {"bool operator< <int>(A<int>, A<int>)", "bool operator< <int>(A<int>, A<int>)",
     "operator< <int>"},
    {"f(int)::{lambda(char)#1}::operator()(char) const",
     "f(int)::{lambda(char)#1}::operator()(char) const", "f::{lambda(char)#1}::operator()"},
    {"(anonymous namespace)::work(int)", "(anonymous namespace)::work(int)",
     "(anonymous namespace)::work"},
    {"void (anonymous namespace)::work<A>(int)", "void (anonymous namespace)::work<A>(int)",
     "(anonymous namespace)::work<A>"},
    {"f(int) [clone .cold]", "f(int) [clone .cold]", "f"},
    {"decltype (a->b) f<int>(int)", "decltype (a->b) f<int>(int)", "f<int>"},
    {"f(void (*)(int), int)", "f(void (*)(int), int)", "f"},
    {"main.(*Server).serve", "main.(*Server).serve", "main.(*Server).serve"},
    {"<core::iter::Map<I, F> as Iterator>::next", "<core::iter::Map<..> as Iterator>::next",
     "<core::iter::Map<..> as Iterator>::next"},
    {"LazyCompile:*run /srv/app.js:12:3", "LazyCompile:*run /srv/app.js:12:3",
     "LazyCompile:*run /srv/app.js:12:3"},
    {"operators(int)", "operators(int)", "operators"},
    {"f<(a", "f<(a", "f<(a"}, // nothing closes
    {"f(", "f(", "f("},
    {")>}]", ")>}]", ")>}]"},
    {"", "", ""},
};

START_TEST(as_they_should_be)
{
    AUTO_BUF struct buf folded = {0}, bare = {0};
    buf_puts(&folded, ".");
    buf_puts(&bare, ".");
    short_name_fold(names[_i].name, &folded);
    short_name_bare(names[_i].name, &bare);
    ck_assert_str_eq(folded.data + 1, names[_i].folded);
    ck_assert_str_eq(bare.data + 1, names[_i].bare);
    ck_assert_uint_eq(bare.length, strlen(bare.data));
}
END_TEST

Suite *suite_short_name(void);
Suite *suite_short_name(void)
{
    Suite *suite = suite_create("short_name");
    TCase *tests = tcase_create("short_name");
    tcase_add_loop_test(tests, as_they_should_be, 0, (int)(sizeof names / sizeof *names));
    suite_add_tcase(suite, tests);
    return suite;
}
