// SPDX-License-Identifier: MIT
// Which processes a rule matches, and what is said of one that makes no sense.
#include "serve/rule.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define CONTAINER "ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34"

static struct target_facts redis(void)
{
    return (struct target_facts){
        .comm = xstrdup("redis-server"),
        .exe = xstrdup("/usr/bin/redis-server"),
        .cmdline = xstrdup("redis-server *:6379, cluster"),
        .user = xstrdup("redis"),
        .unit = xstrdup("redis-server.service"),
        .container = xstrdup(CONTAINER),
        .cgroup = xstrdup("/system.slice/redis-server.service"),
    };
}

static struct target_rule *parsed(const char *text)
{
    struct target_rule *rule;
    struct err err = {0};
    ck_assert_msg(rule_parse(text, "--match", &rule, &err) == RC_OK, "%s: %s", text, err.text);
    return rule;
}

START_TEST(conditions_hold_together)
{
    static const struct {
        const char *rule;
        bool matches;
    } cases[] = {
        {"comm=redis-server", true},
        {"comm=redis", false},
        {"comm=redis*", true},
        {"comm~^red.*er$", true},
        {"comm~dis", true},
        {"exe=/usr/bin/*", true},
        {"exe=*/redis-server", true},
        {"exe=/usr/sbin/*", false},
        {"cmdline~\\*:6379", true},
        {"cmdline~:6379\\, cluster$", true},
        {"cmdline~:6380", false},
        {"user=redis", true},
        {"user=root", false},
        {"unit=redis-server.service", true},
        {"unit=redis-server", true},
        {"unit=redis", false},
        {"container=ab12cd", true},
        {"container=ab12*", true},
        {"container=b12", false},
        {"cgroup=/system.slice/*", true},
        {"comm=redis-server,user=redis,unit=redis-server", true},
        {"comm=redis-server,user=root", false},
        {"name=cache,comm=redis-server", true},
    };
    struct target_facts facts = redis();
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct target_rule *rule = parsed(cases[i].rule);
        ck_assert_msg(rule_matches(rule, &facts, 0) == cases[i].matches, "%s", cases[i].rule);
        ck_assert_str_eq(rule_text(rule), cases[i].rule);
        rule_free(rule);
    }
    target_facts_fini(&facts);
}
END_TEST

START_TEST(process_in_no_unit_or_container_matches_none)
{
    struct target_facts facts = redis();
    *facts.unit = *facts.container = '\0';
    struct target_rule *unit = parsed("unit=*"), *container = parsed("container=ab");
    ck_assert(!rule_matches(unit, &facts, 0) && !rule_matches(container, &facts, 0));
    rule_free(unit);
    rule_free(container);
    target_facts_fini(&facts);
}
END_TEST

START_TEST(names_are_ids)
{
    struct target_rule *rule = parsed("name=cache-1.a_b,comm=x");
    ck_assert_str_eq(rule_name(rule), "cache-1.a_b");
    rule_free(rule);
    rule = parsed("comm=x");
    ck_assert_ptr_null(rule_name(rule));
    rule_free(rule);
}
END_TEST

START_TEST(mistakes_are_explained)
{
    static const char *const cases[][2] = { // rule, what the message says
        {"", "no condition such as"},
        {"nginx", "'nginx' is no condition such as comm=nginx"},
        {"com=nginx", "'com' is no key: 'comm' is"},
        {"comm=nginx,usr=root", "'usr' is no key: 'user' is"},
        {"contianer=ab", "'contianer' is no key: 'container' is"},
        {"zzz=1", "they are comm, exe"},
        {"comm=", "'comm' has no value"},
        {"comm=nginx,", "no condition such as"},
        {"name=x", "there is no condition"},
        {"name=a/b,comm=x", "letters, digits"},
        {"name=..,comm=x", "letters, digits"},
        {"name=42,comm=x", "letters, digits"},
        {"name=a,name=b,comm=x", "there are two names"},
        {"comm=a-name-that-is-too-long", "use exe=*/NAME"},
        {"cmdline~(", "--match"},
        {"comm=\033[31m\nx,y", "\\x1b[31m\\x0ax,y"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct target_rule *rule;
        struct err err = {0};
        ck_assert_msg(rule_parse(cases[i][0], "--match", &rule, &err) == RC_USAGE, "%s",
                      cases[i][0]);
        ck_assert_ptr_null(rule);
        ck_assert_msg(strstr(err.text, cases[i][1]), "%s: %s", cases[i][0], err.text);
    }
}
END_TEST

START_TEST(cgroups_tell_units_and_containers)
{
    static const char *const cases[][3] = { // path, unit, container
        {"/", "", ""},
        {"/system.slice/nginx.service", "nginx.service", ""},
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service", ""},
        {"/system.slice/docker-" CONTAINER ".scope", "docker-" CONTAINER ".scope", CONTAINER},
        {"/docker/" CONTAINER, "", CONTAINER},
        {"/kubepods/burstable/pod1/" CONTAINER, "", CONTAINER},
        {"/docker/" CONTAINER "ff", "", ""},
        {"/.service", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *unit = target_facts_unit(cases[i][0]);
        AUTO_FREE char *container = target_facts_container(cases[i][0]);
        ck_assert_str_eq(unit, cases[i][1]);
        ck_assert_str_eq(container, cases[i][2]);
    }
}
END_TEST

START_TEST(facts_are_read_of_a_process)
{
    struct target_facts facts = {0};
    target_facts_read(&facts, getpid());
    ck_assert_msg(strstr(facts.exe, "unit-tests"), "%s", facts.exe);
    ck_assert_msg(strstr(facts.cmdline, "unit-tests"), "%s", facts.cmdline);
    ck_assert_str_ne(facts.comm, "");
    ck_assert_str_ne(facts.user, "");
    ck_assert_str_eq(target_facts_get(&facts, getpid(), TARGET_COMM), facts.comm);
    target_facts_fini(&facts);
}
END_TEST

Suite *suite_rule(void)
{
    Suite *suite = suite_create("rule");
    TCase *all = tcase_create("all");
    tcase_add_test(all, conditions_hold_together);
    tcase_add_test(all, process_in_no_unit_or_container_matches_none);
    tcase_add_test(all, names_are_ids);
    tcase_add_test(all, mistakes_are_explained);
    tcase_add_test(all, cgroups_tell_units_and_containers);
    tcase_add_test(all, facts_are_read_of_a_process);
    suite_add_tcase(suite, all);
    return suite;
}
