// SPDX-License-Identifier: MIT
#include "serve/profile_url.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

START_TEST(urls_are_completed)
{
    static const struct {
        const char *said, *type;
        double wished;
        const char *text, *of;
        double seconds;
    } rows[] = {
        {"host:6060", NULL, 0, "http://host:6060/debug/pprof/profile?seconds=30", "profile", 30},
        {"host", "wall", 0, "http://host/debug/pprof/wall?seconds=30", "wall", 30},
        {"host", NULL, 2, "http://host/debug/pprof/profile?seconds=2", "profile", 2},
        {"ftp.host", "heap", 0, "http://ftp.host/debug/pprof/heap", "heap", 0},
        {"https://host/", "heap", 0, "https://host/debug/pprof/heap", "heap", 0},
        {"http://host/debug/pprof", "mutex", 5, "http://host/debug/pprof/mutex?seconds=5",
         "mutex", 5},
        {"http://host/debug/pprof/", "trace", 0.5, "http://host/debug/pprof/trace?seconds=0.5",
         "trace", 0.5},
        {"http://host/a/debug/pprof/?gc=1", "heap", 0, "http://host/a/debug/pprof/heap?gc=1",
         "heap", 0},
        {"http://host/debug/pprof/heap?gc=1", NULL, 0, "http://host/debug/pprof/heap?gc=1",
         "heap", 0},
        {"http://host/debug/pprof/profile?seconds=5", NULL, 0,
         "http://host/debug/pprof/profile?seconds=5", "profile", 5},
        {"http://host/debug/pprof/profile?a=1&seconds=5&b=2", NULL, 7.2,
         "http://host/debug/pprof/profile?a=1&b=2&seconds=8", "profile", 8},
        {"http://[::1]:1/x.pb.gz#part", NULL, 0, "http://[::1]:1/x.pb.gz", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct profile_url url;
        struct err err = {0};
        struct profile_wish wish = {rows[i].type, rows[i].wished};
        ck_assert_msg(profile_url_make(rows[i].said, wish, &url, &err) == RC_OK, "%s: %s",
                      rows[i].said, err.text);
        ck_assert_str_eq(url.text, rows[i].text);
        ck_assert_pstr_eq(url.type, rows[i].of);
        ck_assert_double_eq(url.seconds, rows[i].seconds);
        ck_assert(!rows[i].of == !url.symbols);
        profile_url_fini(&url);
    }
}
END_TEST

START_TEST(names_are_asked_for_beside_the_profile)
{
    struct profile_url url;
    ck_assert_int_eq(profile_url_make("http://h:1/a/debug/pprof/heap?gc=1",
                                      (struct profile_wish){0}, &url, NULL), RC_OK);
    ck_assert_str_eq(url.symbols, "http://h:1/a/debug/pprof/symbol");
    ck_assert_str_eq(url.host, "h:1");
    profile_url_fini(&url);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static const struct {
        const char *said, *type, *text;
    } rows[] = {
        {"http://ann:pw@host/", NULL, "PTPROF_PASSWORD"},
        {"http://ann@host/", NULL, "PTPROF_USER"},
        {"file:///etc/passwd", NULL, "http or https"},
        {"http://", NULL, "cannot be understood"},
        {"http://host:99999/", NULL, "cannot be understood"},
        {"http://host/debug/pprof/heap", "mutex", "leave one out"},
        {"http://host/other", "heap", "leave one out"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct profile_url url;
        struct err err = {0};
        struct profile_wish wish = {rows[i].type, 0};
        ck_assert_int_eq(profile_url_make(rows[i].said, wish, &url, &err), RC_USAGE);
        ck_assert_msg(strstr(err.text, rows[i].text) != NULL, "%s: %s", rows[i].said, err.text);
        ck_assert_ptr_null(strstr(err.text, "pw"));
        ck_assert_ptr_null(url.text);
    }
}
END_TEST

START_TEST(files_are_no_urls)
{
    ck_assert(profile_url_is("http://a"));
    ck_assert(profile_url_is("HTTPS://a"));
    ck_assert(!profile_url_is("a.pb.gz"));
    ck_assert(!profile_url_is("-"));
    ck_assert(!profile_url_is("http:/a"));
}
END_TEST

Suite *suite_profile_url(void)
{
    Suite *suite = suite_create("profile_url");
    TCase *tests = tcase_create("profile_url");
    tcase_add_test(tests, urls_are_completed);
    tcase_add_test(tests, names_are_asked_for_beside_the_profile);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, files_are_no_urls);
    suite_add_tcase(suite, tests);
    return suite;
}
