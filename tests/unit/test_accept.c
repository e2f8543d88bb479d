// SPDX-License-Identifier: MIT
#include "serve/front/accept.h"

#include <check.h>

#include "base/mem.h"

START_TEST(types_have_weights)
{
    static const struct {
        const char *field;
        unsigned a, b; // of a/x and b/y
    } rows[] = {
        {"", 0, 0},
        {"*/*", 0, 0},
        {"a/x", 1000, 0},
        {"A/X,b/y", 1000, 1000},
        {"a/x;q=0", 0, 0},
        {"a/x;q=0.000,b/y;q=1.0", 0, 1000},
        {"a/x;version=1.0.0;q=0.25 , b/y ; Q=0.7", 250, 700},
        {"b/y;q=0.5,a/x;version=1.0.0;q=0.125,a/x;version=0.0.1;q=0.75,*/*;q=0.1", 750, 500},
        {"a/xx,ba/x,a/x+b", 0, 0},
        {"a/x;q=0.1239", 123, 0},
        {"a/x;q=,b/y;q=x", 0, 0},
        {"a/x;q=9", 0, 0},
        {",;,a/x;,", 1000, 0},
        {"a/x;b/y", 1000, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        ck_assert_msg(accept_weight(rows[i].field, "a/x") == rows[i].a, "%s", rows[i].field);
        ck_assert_msg(accept_weight(rows[i].field, "b/y") == rows[i].b, "%s", rows[i].field);
    }
}
END_TEST

Suite *suite_accept(void);
Suite *suite_accept(void)
{
    Suite *suite = suite_create("accept");
    TCase *all = tcase_create("all");
    tcase_add_test(all, types_have_weights);
    suite_add_tcase(suite, all);
    return suite;
}
