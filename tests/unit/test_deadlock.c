// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wait/deadlock.h"

#define MOST 16
#define NOBODY WAIT_NOBODY

// Letters for threads: "bc." is a that waits for b, which waits for c, which waits for nobody. A
// capital: the owner is probable. A digit instead of a letter: timed, 0 for a.
static size_t graph_of(const char *text, struct wait *waits)
{
    size_t count = strlen(text);
    for (size_t i = 0; i < count; i++) {
        char c = text[i];
        bool probable = c >= 'A' && c <= 'Z', timed = c >= '0' && c <= '9';
        waits[i] = (struct wait){
            .kind = WAIT_LOCK,
            .owner = c == '.'   ? NOBODY
                     : probable ? (size_t)(c - 'A')
                     : timed    ? (size_t)(c - '0')
                                : (size_t)(c - 'a'),
            .probable = probable,
            .timed = timed,
        };
    }
    return count;
}

static char letter_of(enum verdict_kind kind)
{
    return "-CDP"[kind];
}

// "D:ab P:cd", "C:abc+4": chain and how many wait for its last one.
static void describe(const struct verdict *verdicts, size_t count, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        text += sprintf(text, "%s%c:", i ? " " : "", letter_of(verdicts[i].kind));
        for (size_t k = 0; k < verdicts[i].count; k++)
            text += sprintf(text, "%c", (char)('a' + verdicts[i].chain[k]));
        if (verdicts[i].kind == VERDICT_CHAIN)
            text += sprintf(text, "+%zu", verdicts[i].waiting);
    }
}

static const struct {
    const char *graph, *verdicts;
} cases[] = {
    {"", ""},
    {"...", ""},
    {"b.", "C:ab+1"},
    {"bc.", "C:abc+2"},
    {".ab", "C:cba+2"},
    {"..ab", "C:ca+1"},         // of equal ones the first
    {"f.bb..", "C:cb+2"},       // the one with more waiting
    {"bbb.", "D:b"},            // it took a mutex twice; the others wait for it
    {"a", "D:a"},
    {"ba", "D:ab"},
    {"bcdea", "D:abcde"},
    {"cdab", "D:ac D:bd"},      // all of them
    {".cbbc", "D:bc"},          // those that wait for the circle are no part of it
    {"bdbc.", "D:bdc"},
    {"ccb", "D:bc"},            // which begins at its lowest, wherever the walk came in
    {"bA", "P:ab"},             // a probable owner
    {"b0", "P:ab"},             // a timeout will open it
    {"bABd", "D:d P:ab"},       // ... and beside it a certain one
    {"B.", "C:ab+1"},
    {"z.", ""},                 // an owner that is no thread
    {"bcdefghijklmno.", "C:abcdefghijklmno+14"},
};

START_TEST(test_verdicts)
{
    struct wait waits[MOST];
    struct verdict *verdicts;
    char text[256];
    size_t count = graph_of(cases[_i].graph, waits);
    size_t found = deadlock_find(waits, count, &verdicts);
    describe(verdicts, found, text);
    verdicts_free(verdicts, found);
    ck_assert_str_eq(text, cases[_i].verdicts);
}
END_TEST

// Many threads, one line of them and one circle: in time that grows with their number.
START_TEST(test_many)
{
    size_t count = 200000;
    AUTO_FREE struct wait *waits = xcalloc(count, sizeof *waits);
    struct verdict *verdicts;
    for (size_t i = 0; i < count; i++)
        waits[i].owner = i ? i - 1 : NOBODY;
    ck_assert_uint_eq(deadlock_find(waits, count, &verdicts), 1);
    ck_assert_int_eq(verdicts->kind, VERDICT_CHAIN);
    ck_assert_uint_eq(verdicts->count, count);
    ck_assert_uint_eq(verdicts->waiting, count - 1);
    verdicts_free(verdicts, 1);
    waits[0].owner = count - 1;
    ck_assert_uint_eq(deadlock_find(waits, count, &verdicts), 1);
    ck_assert_int_eq(verdicts->kind, VERDICT_DEADLOCK);
    ck_assert_uint_eq(verdicts->count, count);
    verdicts_free(verdicts, 1);
}
END_TEST

Suite *suite_deadlock(void)
{
    Suite *suite = suite_create("deadlock");
    TCase *tcase = tcase_create("deadlock");
    tcase_add_loop_test(tcase, test_verdicts, 0, ARRAY_LENGTH(cases));
    tcase_add_test(tcase, test_many);
    suite_add_tcase(suite, tcase);
    return suite;
}
