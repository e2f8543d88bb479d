// SPDX-License-Identifier: MIT
// Runs every suite. SUITES is made by the Makefile from the names of the test files.
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#define SUITE(name) Suite *suite_##name(void);
SUITES
#undef SUITE

int main(void)
{
    // Only against what hangs, and for all tests: Check's own 4 s are short for a loaded machine.
    setenv("CK_DEFAULT_TIMEOUT", "600", false);
    SRunner *runner = srunner_create(NULL);
#define SUITE(name) srunner_add_suite(runner, suite_##name());
    SUITES
#undef SUITE
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
