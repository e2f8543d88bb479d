// SPDX-License-Identifier: MIT
#include "serve/front/auth.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "serve/front/login.h"

START_TEST(fields_are_claims)
{
    static const struct {
        const char *field, *user, *secret; // user NULL: a bearer; secret NULL: malformed
    } rows[] = {
        {"Basic YTpi", "a", "b"},
        {"basic  YTpi", "a", "b"},
        {"Basic YTo=", "a", ""},
        {"Basic OmI", "", "b"},
        {"Basic YTpiOmM=", "a", "b:c"},
        {"Bearer abc", NULL, "abc"},
        {"BEARER a.b-c_~+/=", NULL, "a.b-c_~+/="},
        {"Basic", "", NULL},
        {"Basic ", "", NULL},
        {"Basic YWI=", "", NULL}, // no colon
        {"Basic YTpi!", "", NULL},
        {"Basic YTpiY", "", NULL}, // no whole byte at the end
        {"Basic YQBiOmM=", "", NULL}, // NUL
        {"Bearer", "", NULL},
        {"Bearer ", "", NULL},
        {"Digest x", "", NULL},
        {"", "", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct auth_claim claim;
        bool good = auth_parse(rows[i].field, &claim);
        ck_assert_msg(good == !!rows[i].secret, "%s", rows[i].field);
        if (!good)
            continue;
        ck_assert_str_eq(claim.secret, rows[i].secret);
        ck_assert_str_eq(claim.user, rows[i].user ? rows[i].user : "");
        ck_assert(claim.is_bearer == !rows[i].user);
    }
}
END_TEST

// The one of the paper: bytes 0 to 14, with the key of bytes 0 to 15.
START_TEST(hash_is_siphash)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    char bytes[15];
    for (int i = 0; i < 15; i++)
        bytes[i] = (char)i;
    ck_assert(siphash(key, bytes, 15) == 0xa129ca6149be45e5);
    ck_assert(siphash(key, bytes, 0) == 0x726fdb47dd0e0e31);
}
END_TEST

// "a" with the password "b", by SHA-256 in crypt's way; a token.
static struct access_user user = {
    "a", "$5$rounds=1000$saltsalt$ansy99pxY27PTYdgbqkISKZRfdY6fRsaRp47PyaKKa5"};
static char token[] = "0123456789abcdef", *tokens[] = {token};
static const struct access access_of_both = {
    .users = &user, .user_count = 1, .tokens = tokens, .token_count = 1};

START_TEST(who_proves_it_is_let_in)
{
    static const struct {
        const char *field;
        enum login login;
    } rows[] = {
        {NULL, LOGIN_NONE},
        {"Bearer 0123456789abcdef", LOGIN_GOOD},
        {"Basic eDowMTIzNDU2Nzg5YWJjZGVm", LOGIN_GOOD}, // the token, of any user
        {"Basic YTpi", LOGIN_GOOD},
        {"Basic YTpj", LOGIN_WRONG},
        {"Basic Yjpi", LOGIN_WRONG}, // somebody else's password
        {"Bearer 0123456789abcde", LOGIN_WRONG},
        {"Bearer b", LOGIN_WRONG},
        {"Negotiate x", LOGIN_WRONG},
    };
    login_begin(&access_of_both);
    ck_assert(login_is_needed() && login_has_passwords());
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        ck_assert_msg(login_check(rows[i].field, 1, NS_PER_S) == rows[i].login, "%s",
                      rows[i].field ? rows[i].field : "none");
}
END_TEST

START_TEST(who_guesses_is_slowed_down)
{
    const char *wrong = "Basic YTpj", *right = "Basic YTpi";
    int64_t now = 1000ll * NS_PER_S;
    login_begin(&access_of_both);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(login_check(wrong, 1, now), LOGIN_WRONG);
    ck_assert_int_eq(login_check(wrong, 1, now), LOGIN_LATER);
    ck_assert_int_eq(login_check(right, 1, now), LOGIN_LATER); // or it would be a way to guess
    ck_assert_int_eq(login_check("Bearer 0123456789abcdef", 1, now), LOGIN_GOOD);
    ck_assert_int_eq(login_check(right, 2, now), LOGIN_GOOD); // others are not
    ck_assert_int_eq(login_check(right, 1, now), LOGIN_LATER); // nor is what others are known by
    ck_assert_int_eq(login_check(wrong, 1, now += 61ll * NS_PER_S), LOGIN_WRONG);
    ck_assert_int_eq(login_check(right, 1, now), LOGIN_GOOD);
    for (size_t i = 1; i < 5; i++)
        ck_assert_int_eq(login_check(wrong, 1, now += NS_PER_S), LOGIN_WRONG);
    ck_assert_int_eq(login_check(right, 1, now), LOGIN_GOOD); // it is known by now
}
END_TEST

START_TEST(trying_is_bounded_for_all_together)
{
    unsigned tried = 0;
    login_begin(&access_of_both);
    for (uint64_t from = 10; from < 60; from++)
        tried += login_check("Basic YTpj", from, 2000ll * NS_PER_S) == LOGIN_WRONG;
    ck_assert_uint_eq(tried, 10);
    ck_assert_int_eq(login_check("Basic YTpj", 99, 2001ll * NS_PER_S), LOGIN_WRONG);
}
END_TEST

Suite *suite_auth(void);
Suite *suite_auth(void)
{
    Suite *suite = suite_create("auth");
    TCase *all = tcase_create("all");
    tcase_add_test(all, fields_are_claims);
    tcase_add_test(all, hash_is_siphash);
    tcase_add_test(all, who_proves_it_is_let_in);
    tcase_add_test(all, who_guesses_is_slowed_down);
    tcase_add_test(all, trying_is_bounded_for_all_together);
    suite_add_tcase(suite, all);
    return suite;
}
