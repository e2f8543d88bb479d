// SPDX-License-Identifier: MIT
// Probabilities that tables of statistics have, and that can be counted.
#include "base/probability.h"

#include <check.h>
#include <math.h>

#define NEAR(value, expected) ck_assert_double_eq_tol(value, expected, (expected) * 1e-6 + 1e-300)

START_TEST(of_students_t)
{
    NEAR(probability_student(1.959963985, INFINITY), 0.05);
    NEAR(probability_student(12.70620474, 1), 0.05);
    NEAR(probability_student(-2.776445105, 4), 0.05);
    NEAR(probability_student(2.570581836, 5), 0.05);
    NEAR(probability_student(9.924843201, 2), 0.01);
    ck_assert_double_eq(probability_student(0, 3), 1);
    ck_assert_double_eq(probability_student(INFINITY, 3), 0);
    ck_assert_double_eq_tol(probability_student(2, 1e6), probability_student(2, INFINITY), 1e-6);
}
END_TEST

START_TEST(of_counts)
{
    NEAR(probability_count(0, 5, 0.5), 2 / 32.0);
    NEAR(probability_count(5, 5, 0.5), 2 / 32.0);
    NEAR(probability_count(1, 10, 0.5), 2 * 11 / 1024.0);
    NEAR(probability_count(2, 5, 0.01), 2 * (1 - pow(0.99, 5) - 5 * 0.01 * pow(0.99, 4)));
    NEAR(probability_count(0, 300, 0.01), 2 * pow(0.99, 300));
    ck_assert_double_eq(probability_count(5, 10, 0.5), 1); // both tails are above one half
    ck_assert_double_eq(probability_count(0, 0, 0.5), 1);
}
END_TEST

// Those of large counts are as those of the normal distribution, however far out.
START_TEST(of_large_counts)
{
    double all = 4e8, error = sqrt(all) / 2;
    for (double far = 1; far < 9; far++) {
        double count = all / 2 + far * error;
        double normal = probability_student((count - 0.5 - all / 2) / error, INFINITY);
        ck_assert_double_eq_tol(probability_count(count, all, 0.5) / normal, 1, 1e-4);
    }
}
END_TEST

Suite *suite_probability(void)
{
    Suite *suite = suite_create("probability");
    TCase *tests = tcase_create("probability");
    tcase_add_test(tests, of_students_t);
    tcase_add_test(tests, of_counts);
    tcase_add_test(tests, of_large_counts);
    suite_add_tcase(suite, tests);
    return suite;
}
