// SPDX-License-Identifier: MIT
// How much memory is free, in trees of files that look like /proc and /sys/fs/cgroup.
#include "base/memory_room.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/fixture_tree.h"

#define MIB (1024ull * 1024)

static void setup(void)
{
    tree_make();
    tree_put("/proc/meminfo", "MemTotal: 9999999 kB\nMemFree: 1 kB\nMemAvailable: 1048576 kB\n");
}

START_TEST(of_the_machine)
{
    ck_assert_uint_eq(memory_room(tree_root), 1024 * MIB);
    ck_assert_uint_eq(memory_room("/nowhere"), UINT64_MAX);
}
END_TEST

// The limit above it binds, and caches count as free.
START_TEST(of_version_2)
{
    tree_put("/proc/self/cgroup", "0::/outer/inner\n");
    tree_put("/proc/self/mountinfo",
        "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 none rw\n");
    tree_put("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
    tree_put("/sys/fs/cgroup/outer/inner/memory.current", "5000000\n");
    tree_put("/sys/fs/cgroup/outer/memory.max", "104857600\n");
    tree_put("/sys/fs/cgroup/outer/memory.current", "83886080\n");
    tree_put("/sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 10485760\nactive_file 7\n");
    ck_assert_uint_eq(memory_room(tree_root), 30 * MIB);
    tree_put("/sys/fs/cgroup/outer/inner/memory.high", "6000000\n");
    ck_assert_uint_eq(memory_room(tree_root), 1000000);
}
END_TEST

// In a container the mount shows the container's part only, under another path than ours.
START_TEST(of_version_1)
{
    tree_put("/proc/self/cgroup", "5:cpu:/x\n4:foo,memory:/docker/abc\n0::/\n");
    tree_put("/proc/self/mountinfo",
        "31 1 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "32 1 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    tree_put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "52428800\n");
    tree_put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "41943040\n");
    tree_put("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 2097152\n");
    ck_assert_uint_eq(memory_room(tree_root), 12 * MIB);
    tree_put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "62428800\n");
    ck_assert_uint_eq(memory_room(tree_root), 0);
}
END_TEST

START_TEST(nonsense)
{
    static const char *const texts[] = {
        "", "\n\n", ":::\n", "0::", "- cgroup2", "1 2 3 4 - cgroup2\n",
        "a b c / /sys - cgroup2 none\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(texts); k++) {
            tree_put("/proc/self/cgroup", texts[i]);
            tree_put("/proc/self/mountinfo", texts[k]);
            ck_assert_uint_eq(memory_room(tree_root), 1024 * MIB);
        }
}
END_TEST

static int score(void)
{
    int number = -1;
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    ck_assert(file && fscanf(file, "%d", &number) == 1);
    fclose(file);
    return number;
}

START_TEST(scores)
{
    int before = score();
    memory_offer(OOM_SCORE_NEXT);
    ck_assert_int_ge(score(), OOM_SCORE_NEXT);
    memory_offer(OOM_SCORE_FIRST);
    ck_assert_int_eq(score(), OOM_SCORE_FIRST);
    memory_offer(OOM_SCORE_NEXT); // no step back
    ck_assert_int_eq(score(), OOM_SCORE_FIRST);
    memory_offer_end();
    ck_assert_int_eq(score(), before);
}
END_TEST

START_TEST(bound)
{
    struct rlimit limit;
    memory_bound(64 * MIB, 64 * MIB);
    ck_assert_int_eq(getrlimit(RLIMIT_DATA, &limit), 0);
#ifndef __SANITIZE_ADDRESS__
    ck_assert_uint_ge(limit.rlim_cur, 64 * MIB);
    ck_assert_uint_le(limit.rlim_cur, 256 * MIB); // with what this process has already
    ck_assert_ptr_null(malloc(512 * MIB));
    free(xmalloc(16 * MIB));
#endif
}
END_TEST

Suite *suite_memory_room(void)
{
    Suite *suite = suite_create("memory_room");
    TCase *cases = tcase_create("memory_room");
    tcase_add_checked_fixture(cases, setup, tree_remove);
    tcase_add_test(cases, of_the_machine);
    tcase_add_test(cases, of_version_2);
    tcase_add_test(cases, of_version_1);
    tcase_add_test(cases, nonsense);
    tcase_add_test(cases, scores);
    tcase_add_test(cases, bound);
    suite_add_tcase(suite, cases);
    return suite;
}
