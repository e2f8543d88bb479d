// SPDX-License-Identifier: MIT
#include "serve/front/guard.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "serve/front/host.h"

START_TEST(targets_are_paths)
{
    static const struct {
        const char *uri;
        unsigned status;
    } rows[] = {
        {"/", 0},
        {"/debug/pprof/profile?seconds=1&seconds=1", 0},
        {"/targets/a%2Db/x?q=a%20b%2f..%2f&r=//", 0},
        {"/.well-known/...", 0},
        {"", 400},
        {"*", 400},
        {"http://host/", 400},
        {"/stat%00x", 400},
        {"/a?b=%00", 400},
        {"/a%0d%0aX: y", 400},
        {"/a\x01", 400},
        {"/a\x80", 400},
        {"/a%c3%a4", 0},
        {"/a b", 400},
        {"/a%2", 400},
        {"/a%zz", 400},
        {"/a/../b", 400},
        {"/a/%2e%2E/b", 400},
        {"/a/.%2e", 400},
        {"/..", 400},
        {"/a/.", 400},
        {"//a", 400},
        {"/a//", 400},
        {"/a%2f/b", 400},
        {"/a\\b", 400},
        {"/a%5cb", 400},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct header_guard guard = {0};
        guard_target(&guard, rows[i].uri);
        ck_assert_msg(guard.status == rows[i].status, "%s: %u %s", rows[i].uri, guard.status,
                      guard.text);
        ck_assert(!guard.status == !guard.text);
    }
}
END_TEST

START_TEST(targets_have_a_length)
{
    struct header_guard path = {0}, query = {0}, long_query = {0};
    AUTO_FREE char *text = xcalloc(1, GUARD_QUERY_MOST + 8);
    memset(text, 'a', GUARD_QUERY_MOST + 2);
    text[0] = '/';
    guard_target(&path, text);
    ck_assert_uint_eq(path.status, 414);
    text[1] = '?';
    guard_target(&long_query, text);
    ck_assert_uint_eq(long_query.status, 414);
    text[GUARD_QUERY_MOST + 1] = '\0';
    guard_target(&query, text);
    ck_assert_uint_eq(query.status, 0);
}
END_TEST

START_TEST(paths_are_decoded)
{
    char path[] = "/a%2Db%25%c3%a4/";
    guard_decode(path);
    ck_assert_str_eq(path, "/a-b%\xc3\xa4/");
}
END_TEST

// Fields with blanks between name and value, and lines between them.
static unsigned status_of(const char *text)
{
    struct header_guard guard = {0};
    while (*text) {
        size_t line = strcspn(text, "\n"), name = strcspn(text, " ");
        guard_field(&guard, text, name, text + name + 1, line - name - 1);
        text += line + (text[line] == '\n');
    }
    return guard.status;
}

START_TEST(fields_are_those_of_one_request)
{
    static const struct {
        const char *fields;
        unsigned status;
    } rows[] = {
        {"Host a\nAccept */*\nX-Y a\tb", 0},
        {"Content-Length 5", 0},
        {"Transfer-Encoding chunked", 0},
        {"Content-Length 5\ncontent-length 5", 400},
        {"Content-Length 5\nTransfer-Encoding chunked", 400},
        {"Content-Length +5", 400},
        {"Content-Length 5,5", 400},
        {"Content-Length 99999999999999999999", 400},
        {"Content-Length -1", 400},
        {"Transfer-Encoding chunked\nTransfer-Encoding chunked", 400},
        {"Transfer-Encoding gzip", 501},
        {"Transfer-Encoding chunked, identity", 501},
        {"Host a\nhost b", 400},
        {"Origin http://a\norigin http://a", 400},
        {"X\x01 y", 400},
        {"X y\x01z", 400},
        {"X:Y z", 400},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        ck_assert_msg(status_of(rows[i].fields) == rows[i].status, "%s", rows[i].fields);
}
END_TEST

START_TEST(fields_have_no_nul_and_a_length)
{
    struct header_guard nul = {0}, large = {0};
    AUTO_FREE char *value = xcalloc(1, GUARD_HEADER_MOST);
    guard_field(&nul, "X", 1, "a\0b", 3);
    ck_assert_uint_eq(nul.status, 400);
    memset(value, 'a', GUARD_HEADER_MOST);
    guard_field(&large, "X", 1, value, GUARD_HEADER_MOST);
    ck_assert_uint_eq(large.status, 431);
}
END_TEST

START_TEST(names_of_hosts)
{
    static const struct {
        const char *field, *name; // NULL: it is none
        bool is_ours;             // with "profiles.example,b"
    } rows[] = {
        {"127.0.0.1:6060", "127.0.0.1", true},
        {"10.1.2.3", "10.1.2.3", true},
        {"[::1]:6060", "::1", true},
        {"[::1]", "::1", true},
        {"LocalHost:1", "localhost", true},
        {"localhost.", "localhost", true},
        {"profiles.example:80", "profiles.example", true},
        {"Profiles.Example", "profiles.example", true},
        {"b", "b", true},
        {"evil.example", "evil.example", false},
        {"profiles.example.evil", "profiles.example.evil", false},
        {"127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
        {"1270.0.0.1", "1270.0.0.1", false},
        {"profiles.exampl", "profiles.exampl", false},
        {"", NULL, false},
        {":80", NULL, false},
        {"a:b", NULL, false},
        {"a@b", NULL, false},
        {"a b", NULL, false},
        {"[::1", NULL, false},
        {"[]", NULL, false},
        {"[::1]x", NULL, false},
        {"\xc3\xa4", NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char name[HOST_MOST];
        ck_assert_msg(host_name(rows[i].field, name) == !!rows[i].name, "%s", rows[i].field);
        if (!rows[i].name)
            continue;
        ck_assert_str_eq(name, rows[i].name);
        ck_assert_msg(host_is_ours(name, "profiles.example,b") == rows[i].is_ours, "%s", name);
        ck_assert(host_is_ours(name, "*"));
    }
    ck_assert(host_is_ours("a.example", ",,a.example"));
    ck_assert(!host_is_ours("evil.example", ",a.example,"));
    ck_assert(!host_is_ours("", ",a.example,"));
    ck_assert(!host_is_ours("evil.example", NULL));
    ck_assert(!host_is_ours("evil.example", ""));
}
END_TEST

START_TEST(origins_are_hosts)
{
    ck_assert(host_is_origin("a:1", "http://a:1"));
    ck_assert(host_is_origin("a:1", "https://A:1"));
    ck_assert(!host_is_origin("a:1", "http://a:2"));
    ck_assert(!host_is_origin("a:1", "http://a:1.evil"));
    ck_assert(!host_is_origin("a:1", "null"));
    ck_assert(!host_is_origin("a:1", ""));
    ck_assert(!host_is_origin("a:1", "a:1"));
}
END_TEST

START_TEST(pages_of_others_may_only_link)
{
    ck_assert(!host_is_foreign(NULL, NULL));
    ck_assert(!host_is_foreign("same-origin", "empty"));
    ck_assert(!host_is_foreign("none", "document"));
    ck_assert(!host_is_foreign("cross-site", "document"));
    ck_assert(host_is_foreign("cross-site", "image"));
    ck_assert(host_is_foreign("cross-site", "iframe"));
    ck_assert(host_is_foreign("same-site", "empty"));
}
END_TEST

Suite *suite_guard(void);
Suite *suite_guard(void)
{
    Suite *suite = suite_create("guard");
    TCase *all = tcase_create("all");
    tcase_add_test(all, targets_are_paths);
    tcase_add_test(all, targets_have_a_length);
    tcase_add_test(all, paths_are_decoded);
    tcase_add_test(all, fields_are_those_of_one_request);
    tcase_add_test(all, fields_have_no_nul_and_a_length);
    tcase_add_test(all, names_of_hosts);
    tcase_add_test(all, origins_are_hosts);
    tcase_add_test(all, pages_of_others_may_only_link);
    suite_add_tcase(suite, all);
    return suite;
}
