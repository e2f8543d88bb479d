// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "symbol/reader/demangle.h"

static const struct {
    const char *mangled, *shown; // NULL: left alone
} names[] = {
    // C++
    {"_ZNSt6vectorIiSaIiEE9push_backERKi",
     "std::vector<int, std::allocator<int> >::push_back(int const&)"},
    {"_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo()"},
    {"_ZN3fooEv.cold", "foo() [clone .cold]"},
    {"_Z3foov.part.0.constprop.1", "foo() [clone .part.0] [clone .constprop.1]"},
    {"_ZN3fooEv@plt", "foo()@plt"},
    {"_ZN3fooEv@@LIB_1.0", "foo()@@LIB_1.0"},
    // Rust, legacy: without the hash
    {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
    {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.123", "core::fmt::Formatter::pad"},
    {"_ZN4test5Thing13_$LT$impl$GT$3bar17h930b740aa94f1d3aE", "test::Thing::<impl>::bar"},
    // Rust, v0
    {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
    {"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"},
    // neither
    {"main", NULL},
    {"i", NULL}, // "int" as a type, but no function's name
    {"__libc_start_main", NULL},
    {"_Z", NULL},
    {"_ZN3foo", NULL},
    {"_R", NULL},
    {"@plt", NULL},
    {"", NULL},
};

START_TEST(test_names)
{
    AUTO_FREE char *shown = demangle(names[_i].mangled);
    if (names[_i].shown)
        ck_assert_str_eq(shown, names[_i].shown);
    else
        ck_assert_ptr_null(shown);
}
END_TEST

// f(A<int>, A<A<int>, A<int>>, ...): each parameter is twice as long as the one before it.
static char *doubling(unsigned times)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    AUTO_BUF struct buf name = {0};
    buf_puts(&name, "_Z1f1AIiE");
    for (unsigned i = 0; i < times; i++)
        buf_printf(&name, "S_IS%c_S%c_E", digits[i], digits[i]);
    return xstrdup(name.data);
}

START_TEST(test_doubling)
{
    AUTO_FREE char *twice = doubling(2), *shown = demangle(twice);
    ck_assert_str_eq(shown, "f(A<int>, A<A<int>, A<int> >, "
                            "A<A<A<int>, A<int> >, A<A<int>, A<int> > >)");
    AUTO_FREE char *bomb = doubling(36); // some 500 GB if it were written out
    ck_assert_ptr_null(demangle(bomb));
}
END_TEST

START_TEST(test_nesting)
{
    AUTO_BUF struct buf name = {0};
    buf_puts(&name, "_Z1f");
    for (unsigned i = 0; i < 4000; i++)
        buf_putc(&name, 'P');
    buf_puts(&name, "i");
    ck_assert_ptr_null(demangle(name.data));
}
END_TEST

// The library refuses names above 1024 bytes (it would need too much stack), we those above 4096.
START_TEST(test_length)
{
    AUTO_BUF struct buf name = {0};
    buf_puts(&name, "_Z1000");
    for (unsigned i = 0; i < 1000; i++)
        buf_putc(&name, 'x');
    buf_puts(&name, "v");
    AUTO_FREE char *shown = demangle(name.data);
    ck_assert_ptr_nonnull(shown);
    ck_assert_uint_eq(strlen(shown), 1000 + 2);
    while (name.length <= SYMBOL_NAME_MAX)
        buf_puts(&name, ".cold");
    ck_assert_ptr_null(demangle(name.data));
}
END_TEST

// Names cut at every length, and every byte changed: an answer or none, never a crash.
START_TEST(test_damaged)
{
    char *name = xstrdup(names[_i].mangled);
    size_t length = strlen(name);
    for (size_t at = 0; at < length; at++) {
        char kept = name[at];
        for (int byte = 0; byte < 256; byte++) {
            name[at] = (char)byte;
            free(demangle(name));
        }
        name[at] = kept;
    }
    free(name);
}
END_TEST

START_TEST(test_fold)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", ""},
        {"std::vector<int, std::allocator<int> >::push_back(int const&)",
         "std::vector<...>::push_back(int const&)"},
        {"void f<a<b<c>>>(std::map<int, int>)", "void f<...>(std::map<...>)"},
        {"operator<(pair<int> const&)", "operator<(pair<...> const&)"},
        {"s& operator<< <char>(s&)", "s& operator<< <...>(s&)"},
        {"p<int>::operator->() const", "p<...>::operator->() const"},
        {"bool q<int>::operator<=>(q<int> const&)", "bool q<...>::operator<=>(q<...> const&)"},
        {"my_operator<int>::run()", "my_operator<...>::run()"},
        {"f<my_operator<int> >::run()", "f<...>::run()"},
        {"std::istream& std::operator>><char>(char&)", "std::istream& std::operator>><...>(char&)"},
        {"f<&g::operator-> >::run(a<int>)", "f<...>::run(a<...>)"},
        {"<alloc::vec::Vec<T> as core::iter::Iterator<X>>::next",
         "<alloc::vec::Vec<...> as core::iter::Iterator<...>>::next"},
        {"f<g<int>", "f<g<...>"},
        {"a>b<", "a>b<"},
        {"[libfoo.so]", "[libfoo.so]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *folded = demangle_fold(cases[i][0]);
        ck_assert_str_eq(folded, cases[i][1]);
    }
}
END_TEST

// Brackets that stay open, and such that nest: a look for the end of each would take hours.
START_TEST(test_fold_long)
{
    const size_t count = 2 << 20;
    AUTO_BUF struct buf name = {0};
    for (size_t i = 0; i < count; i++)
        buf_puts(&name, "a<");
    AUTO_FREE char *open = demangle_fold(name.data);
    ck_assert_str_eq(open, name.data);
    for (size_t i = 0; i < count; i++)
        buf_putc(&name, '>');
    AUTO_FREE char *nested = demangle_fold(name.data);
    ck_assert_str_eq(nested, "a<...>");
}
END_TEST

Suite *suite_demangle(void)
{
    Suite *suite = suite_create("demangle");
    TCase *tcase = tcase_create("demangle");
    tcase_add_loop_test(tcase, test_names, 0, ARRAY_LENGTH(names));
    tcase_add_test(tcase, test_fold);
    tcase_add_test(tcase, test_fold_long);
    tcase_add_test(tcase, test_doubling);
    tcase_add_test(tcase, test_nesting);
    tcase_add_test(tcase, test_length);
    tcase_add_loop_test(tcase, test_damaged, 0, ARRAY_LENGTH(names));
    suite_add_tcase(suite, tcase);
    return suite;
}
