// SPDX-License-Identifier: MIT
// Targets of a server: their IDs, and who is one after a restart.
#include "serve/target.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/target_id.h"

START_TEST(ids_are_safe_in_paths)
{
    static const char *const cases[][2] = { // name, ID
        {"nginx", "nginx"}, {"a b/c", "a_b_c"}, {"..", "_.."}, {".", "_."}, {"", "_"},
        {"4242", "_4242"}, {"7z", "7z"}, {"\xc3\xa4<script>", "___script_"},
        {"kworker/0:1", "kworker_0_1"},
    };
    char id[ASK_TARGET_MOST];
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        target_id_make(cases[i][0], 0, 0, id);
        ck_assert_str_eq(id, cases[i][1]);
        ck_assert(target_id_is_safe(id));
    }
    target_id_make("nginx", 1, 4242, id);
    ck_assert_str_eq(id, "nginx-4242");
}
END_TEST

START_TEST(names_of_any_length_have_one)
{
    char name[300], id[ASK_TARGET_MOST];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    target_id_make(name, 1, 4194304, id);
    ck_assert(strlen(id) < sizeof id);
    ck_assert_ptr_nonnull(strstr(id, "-4194304"));
    target_id_make(name, UINT_MAX, 4194304, id);
    ck_assert_ptr_nonnull(strstr(id, "-4294967295-4194304"));
}
END_TEST

// One that had the pid and the name before is still listed, and another one before it.
START_TEST(names_that_come_again)
{
    static const char rule[] =
        "name=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,comm=x"; // as long as may be
    struct target_list list = {.kept = 1};
    struct target_rule *parsed = NULL;
    struct err err = {0};
    ck_assert_msg(rule_parse(rule, "--match", &parsed, &err) == RC_OK, "%s", err.text);
    for (size_t i = 0; i < 4; i++) {
        struct target_found found = {.pid = getpid(), .rule = parsed};
        target_list_add(&list, &found);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(list.targets[i]->id, list.targets[j]->id);
    }
    target_list_fini(&list);
    rule_free(parsed);
}
END_TEST

// A process with a name of its own, which no other test has; not ours, or it would be no target.
static pid_t start(const char *name)
{
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, name);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void look(struct target_list *list)
{
    list->look_at = 0;
    target_list_look(list);
}

// The list belongs to a process that is no ancestor of the targets: a child of this test.
static void in_a_server(void (*test)(struct target_list *list, const pid_t *pids),
                        const char *const *rules, size_t rule_count, pid_t *pids)
{
    pid_t server = fork();
    if (server == 0) {
        struct serve_settings settings = {SERVE_DEFAULTS};
        struct target_list list = {0};
        struct err err = {0};
        for (size_t i = 0; i < rule_count; i++)
            text_list_add(&settings.targets.rules, rules[i]);
        ck_assert_msg(target_list_init(&list, &settings, &err) == RC_OK, "%s", err.text);
        test(&list, pids);
        target_list_fini(&list);
        text_list_fini(&settings.targets.rules);
        _exit(EXIT_SUCCESS);
    }
    int status;
    waitpid(server, &status, 0);
    ck_assert_int_eq(status, 0);
}

static size_t living(const struct target_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += !list->targets[i]->ended_at;
    return count;
}

static void two_are_found(struct target_list *list, const pid_t *pids)
{
    struct err err = {0};
    ck_assert_uint_eq(list->count, 2);
    struct serve_target *first = target_list_find(list, "unit-two", &err);
    ck_assert_ptr_nonnull(first);
    ck_assert_str_eq(first->facts.comm, "unit-two");
    for (size_t i = 0; i < 2; i++) {
        AUTO_FREE char *pid = xasprintf("%d", (int)pids[i]);
        ck_assert_int_eq(target_list_find(list, pid, &err)->pid, pids[i]);
    }
    ck_assert_ptr_null(target_list_find(list, "", &err));
    ck_assert_ptr_null(target_list_find(list, "nobody", &err));
    list->most = 1; // there is no room for more
    ck_assert_uint_eq(list->left_out, 0);
}

START_TEST(rules_find_processes)
{
    static const char *const rules[] = {"comm=unit-two"};
    pid_t pids[] = {start("unit-two"), start("unit-two")};
    in_a_server(two_are_found, rules, 1, pids);
    end(pids[0]);
    end(pids[1]);
}
END_TEST

START_TEST(bound_is_kept_and_told)
{
    static const char *const rules[] = {"comm=unit-many"};
    struct serve_settings settings = {SERVE_DEFAULTS};
    struct target_list list = {0};
    struct err err;
    pid_t pids[3], server = 0;
    for (size_t i = 0; i < 3; i++)
        pids[i] = start("unit-many");
    server = fork();
    if (server == 0) {
        text_list_add(&settings.targets.rules, rules[0]);
        settings.targets.most = 2;
        ck_assert_int_eq(target_list_init(&list, &settings, &err), RC_OK);
        ck_assert_uint_eq(list.count, 2);
        ck_assert_uint_eq(list.left_out, 1);
        look(&list); // and is asked again, though it has not run
        ck_assert_uint_eq(list.left_out, 1);
        target_list_fini(&list);
        text_list_fini(&settings.targets.rules);
        _exit(EXIT_SUCCESS);
    }
    int status;
    waitpid(server, &status, 0);
    for (size_t i = 0; i < 3; i++)
        end(pids[i]);
    ck_assert_int_eq(status, 0);
}
END_TEST

// However much it costs to look for them: on a machine with many processes it is as much.
START_TEST(who_comes_is_found_soon)
{
    struct serve_settings settings = {SERVE_DEFAULTS};
    struct target_list list = {0};
    struct err err;
    for (size_t i = 0; i < 5000; i++)
        text_list_add(&settings.targets.rules, "cmdline~(a|b)+unit-nobody.*x$");
    pid_t pids[30];
    for (size_t i = 0; i < ARRAY_LENGTH(pids); i++)
        pids[i] = start("unit-costly");
    pid_t server = fork();
    if (server == 0) {
        int64_t began = clock_now();
        ck_assert_int_eq(target_list_init(&list, &settings, &err), RC_OK);
        ck_assert_int_le(list.look_at - clock_now(), 3ll * NS_PER_S);
        ck_assert_int_ge(list.look_at - began, 3ll * NS_PER_S); // it did cost much
        _exit(EXIT_SUCCESS);
    }
    int status;
    waitpid(server, &status, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(pids); i++)
        end(pids[i]);
    text_list_fini(&settings.targets.rules);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(own_processes_are_none)
{
    struct serve_settings settings = {SERVE_DEFAULTS};
    struct target_list list = {0};
    struct err err;
    text_list_add(&settings.targets.rules, "comm=unit-own");
    pid_t pid = start("unit-own");
    ck_assert_int_eq(target_list_init(&list, &settings, &err), RC_OK);
    ck_assert_uint_eq(list.count, 0);
    end(pid);
    target_list_fini(&list);
    text_list_fini(&settings.targets.rules);
}
END_TEST

// Asks the test, which is the parent of the targets, to end one and start another.
static struct {
    int orders[2], answers[2];
} wire;

static pid_t order(char what)
{
    pid_t pid = 0;
    ck_assert_int_eq(write(wire.orders[1], &what, 1), 1);
    ck_assert_int_eq(read(wire.answers[0], &pid, sizeof pid), sizeof pid);
    return pid;
}

static void successor_has_the_id(struct target_list *list, const pid_t *pids)
{
    struct err err;
    ck_assert_uint_eq(list->count, 1);
    struct serve_target *target = list->targets[0];
    ck_assert_int_eq(target->pid, *pids);
    order('e');
    look(list);
    ck_assert_int_ne(target->ended_at, 0);
    ck_assert_uint_eq(list->count, 1);
    pid_t next = order('s');
    look(list);
    ck_assert_uint_eq(list->count, 1);
    ck_assert_int_eq(target->pid, next);
    ck_assert_uint_eq(target->restarts, 1);
    ck_assert_int_eq(target->ended_at, 0);
    ck_assert_ptr_eq(target_list_find(list, "web", &err), target);
    order('e'); // two come: which of them it is, nobody knows
    look(list);
    order('s');
    order('s');
    look(list);
    ck_assert_uint_eq(list->count, 3);
    ck_assert_uint_eq(living(list), 2);
    ck_assert_int_ne(target->ended_at, 0);
    list->listed = 0;
    look(list);
    ck_assert_uint_eq(list->count, 2);
}

START_TEST(only_successor_is_the_same_target)
{
    pid_t pids[8] = {start("unit-again")};
    size_t first = 0, count = 1;
    char what;
    ck_assert_int_eq(pipe2(wire.orders, O_CLOEXEC) | pipe2(wire.answers, O_CLOEXEC), 0);
    pid_t server = fork();
    if (server == 0) {
        static const char *const rules[] = {"name=web,comm=unit-again"};
        close(wire.orders[0]);
        in_a_server(successor_has_the_id, rules, 1, pids);
        _exit(EXIT_SUCCESS);
    }
    close(wire.orders[1]);
    while (read(wire.orders[0], &what, 1) == 1) {
        if (what == 's')
            pids[count++] = start("unit-again");
        else
            end(pids[first++]);
        ck_assert_int_eq(write(wire.answers[1], &pids[count - 1], sizeof *pids), sizeof *pids);
    }
    int status;
    waitpid(server, &status, 0);
    while (first < count)
        end(pids[first++]);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void lacks_descriptors(struct target_list *list, const pid_t *pids)
{
    const struct rlimit none = {3, 3};
    (void)pids;
    setrlimit(RLIMIT_NOFILE, &none);
    while (dup(STDERR_FILENO) >= 0)
        continue;
    target_check(list->targets[0]);
    ck_assert_int_eq(list->targets[0]->ended_at, 0);
    ck_assert_str_eq(list->targets[0]->facts.comm, "unit-lack");
}

START_TEST(who_cannot_be_looked_at_has_not_ended)
{
    static const char *const rules[] = {"comm=unit-lack"};
    pid_t pid = start("unit-lack");
    in_a_server(lacks_descriptors, rules, 1, &pid);
    end(pid);
}
END_TEST

Suite *suite_target(void)
{
    Suite *suite = suite_create("target");
    TCase *all = tcase_create("all");
    tcase_add_test(all, ids_are_safe_in_paths);
    tcase_add_test(all, names_of_any_length_have_one);
    tcase_add_test(all, names_that_come_again);
    tcase_add_test(all, rules_find_processes);
    tcase_add_test(all, who_comes_is_found_soon);
    tcase_add_test(all, bound_is_kept_and_told);
    tcase_add_test(all, own_processes_are_none);
    tcase_add_test(all, only_successor_is_the_same_target);
    tcase_add_test(all, who_cannot_be_looked_at_has_not_ended);
    suite_add_tcase(suite, all);
    return suite;
}
