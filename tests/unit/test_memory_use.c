// SPDX-License-Identifier: MIT
// What the memory of a process is used for: parsers of texts, true and hostile, kinds of mappings,
// pages that are counted in this process, cgroups in trees of files.
#include "heap/memory_use.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/resident.h"
#include "process/smaps.h"
#include "tests/unit/fixture_tree.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define PAGE 4096ull

// --- status

START_TEST(status_text)
{
    struct memory_status status;
    memory_status_parse("Name:\tx VmRSS: 7 kB\nVmPeak:\t    3060 kB\nVmRSS:\t  1700 kB\nRssAnon:\t"
                        "0 kB\nVmSwap:\t99999999999999999999 kB\nVmLck:\t\n"
                        "VmPTE:\t18014398509481984 kB\nThreads:\t12\n",
                        &status);
    ck_assert_uint_eq(status.bytes[MEMORY_RSS], 1700 * KIB);
    ck_assert_uint_eq(status.bytes[MEMORY_PEAK_SIZE], 3060 * KIB);
    ck_assert_uint_eq(status.bytes[MEMORY_ANONYMOUS], 0);
    ck_assert_uint_eq(status.bytes[MEMORY_SWAP], MEMORY_UNKNOWN);
    ck_assert_uint_eq(status.bytes[MEMORY_LOCKED], MEMORY_UNKNOWN);
    ck_assert_uint_eq(status.bytes[MEMORY_PAGE_TABLES], MEMORY_UNKNOWN);
    ck_assert_uint_eq(status.bytes[MEMORY_HUGETLB], MEMORY_UNKNOWN);
    ck_assert_uint_eq(status.threads, 12);
    memory_status_parse("", &status);
    ck_assert_uint_eq(status.bytes[MEMORY_RSS], MEMORY_UNKNOWN);
}
END_TEST

// --- smaps

static const char smaps[] =
    "1000-3000 rw-p 00000000 00:00 0                          [heap]\n"
    "Size:                  8 kB\nRss:                   8 kB\nPss:                   4 kB\n"
    "Pss_Dirty:             4 kB\nAnonymous:             8 kB\nAnonHugePages:         2 kB\n"
    "FilePmdMapped:         1 kB\nSwap:                 12 kB\nSwapPss:               1 kB\n"
    "Locked:                4 kB\nVmFlags: rd wr mr mw me ac sd \n"
    "f000-11000 r--s 00000000 08:01 5                         /tmp/a\\012Rss: 99 kB\n"
    "Rss:                   4 kB\nPrivate_Hugetlb:    2048 kB\n";

START_TEST(smaps_text)
{
    AUTO_FREE char *text = xstrdup(smaps);
    char *cursor = text;
    struct smaps_mapping mapping;
    ck_assert(smaps_parse(&cursor, &mapping));
    ck_assert_str_eq(mapping.map.path, "[heap]");
    ck_assert_uint_eq(mapping.bytes[SMAPS_RSS], 8 * KIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_PSS], 4 * KIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_HUGE], 3 * KIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_SWAP], 12 * KIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_LOCKED], 4 * KIB);
    ck_assert(smaps_parse(&cursor, &mapping));
    ck_assert_str_eq(mapping.map.path, "/tmp/a\nRss: 99 kB");
    ck_assert_uint_eq(mapping.bytes[SMAPS_RSS], 4 * KIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_HUGETLB], 2 * MIB);
    ck_assert_uint_eq(mapping.bytes[SMAPS_PSS], 0);
    ck_assert(!smaps_parse(&cursor, &mapping));
}
END_TEST

START_TEST(smaps_cut_anywhere)
{
    for (size_t length = 0; length < sizeof smaps - 1; length++) {
        AUTO_FREE char *text = xstrndup(smaps, length);
        char *cursor = text;
        struct smaps_mapping mapping;
        size_t count = 0;
        for (; smaps_parse(&cursor, &mapping); count++)
            ck_assert(mapping.map.start == 0x1000 || mapping.map.start == 0xf000);
        ck_assert_uint_le(count, 2);
        ck_assert_ptr_eq(cursor, text + length);
    }
}
END_TEST

START_TEST(smaps_strange)
{
    char text[] = "Rss: 5 kB\nabc\n\n0-0 rw-p 0 0:0 0\nRss: 6 kB\n1000-2000 rw-p 0 00:00 0\n"
                  "Rss: 18446744073709551615 kB\nRss: 1 kB\nPss: x kB\nSwap:\nLocked: -1 kB";
    char *cursor = text;
    struct smaps_mapping mapping;
    ck_assert(smaps_parse(&cursor, &mapping));
    ck_assert_uint_eq(mapping.map.start, 0x1000);
    ck_assert_uint_eq(mapping.bytes[SMAPS_RSS], UINT64_MAX);
    ck_assert_uint_eq(mapping.bytes[SMAPS_PSS], 0);
    ck_assert_uint_eq(mapping.bytes[SMAPS_SWAP], 0);
    ck_assert(!smaps_parse(&cursor, &mapping));
}
END_TEST

// --- kinds

static const struct {
    const char *line;
    enum mapping_kind kind;
} kind_lines[] = {
    {"1000-2000 r--p 0 08:01 7 /bin/a", MAPPING_LIBRARIES},
    {"2000-3000 r-xp 0 08:01 7 /bin/a", MAPPING_LIBRARIES},
    {"3000-4000 rw-p 0 08:01 7 /bin/a", MAPPING_LIBRARIES},
    {"4000-5000 rw-p 0 00:00 0", MAPPING_ANONYMOUS},
    {"5000-6000 rw-p 0 00:00 0 [heap]", MAPPING_HEAP},
    {"10000-11000 r--p 0 08:01 8 /bin/a", MAPPING_FILE},
    {"11000-12000 rw-s 0 08:01 9 /var/db", MAPPING_FILE},
    {"12000-13000 rw-p 0 00:00 0 [anon:scudo]", MAPPING_ANONYMOUS},
    {"13000-14000 rwxp 0 00:00 0", MAPPING_GENERATED_CODE},
    {"14000-15000 r-xp 0 00:00 0 [anon:js]", MAPPING_GENERATED_CODE},
    {"15000-16000 r-xs 0 00:01 2 /memfd:jit (deleted)", MAPPING_GENERATED_CODE},
    {"16000-17000 rw-s 0 00:01 3 /memfd:x (deleted)", MAPPING_SHARED},
    {"17000-18000 rw-s 0 00:01 4 /dev/zero (deleted)", MAPPING_SHARED},
    {"18000-19000 rw-s 0 00:01 5 /SYSV00000000 (deleted)", MAPPING_SHARED},
    {"19000-1a000 rw-s 0 00:16 6 /dev/shm/q", MAPPING_SHARED},
    {"1a000-1b000 rw-p 0 00:0f 7 /anon_hugepage (deleted)", MAPPING_ANONYMOUS},
    {"1b000-1c000 rw-s 0 00:0f 8 /anon_hugepage (deleted)", MAPPING_SHARED},
    // a stack above its guard; one of a thread that runs, of the same size; neither: no guard
    {"20000-21000 ---p 0 00:00 0", MAPPING_THREAD_STACKS},
    {"21000-25000 rw-p 0 00:00 0", MAPPING_THREAD_STACKS},
    {"25000-26000 ---p 0 00:00 0", MAPPING_THREAD_STACKS},
    {"26000-2a000 rw-p 0 00:00 0", MAPPING_THREAD_STACKS},
    {"2a000-2b000 ---p 0 00:00 0", MAPPING_ANONYMOUS},
    {"2b000-2f000 rw-p 0 00:00 0", MAPPING_ANONYMOUS}, // as large, but there is no third thread
    {"30000-34000 rw-p 0 00:00 0", MAPPING_ANONYMOUS}, // a stack pointer, but no guard
    {"40000-41000 rw-p 0 00:00 0 [anon: glibc: pthread stack: 12]", MAPPING_THREAD_STACKS},
    {"50000-51000 rw-p 0 00:00 0 [stack]", MAPPING_MAIN_STACK},
    {"51000-52000 r--p 0 00:00 0 [vvar]", MAPPING_KERNEL},
    {"52000-53000 r-xp 0 00:00 0 [vdso]", MAPPING_KERNEL},
    {"ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]", MAPPING_KERNEL},
};

START_TEST(kinds)
{
    struct proc_map list[ARRAY_LENGTH(kind_lines)];
    struct mapping_use uses[ARRAY_LENGTH(kind_lines)];
    char *texts[ARRAY_LENGTH(kind_lines)];
    uint64_t pointers[] = {0x100, 0x21ff0, 0x21ff8, 0x31000, 0x40800, 0x900000};
    struct stack_points points = {.list = pointers, .count = 6, .unknown = 1};
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++) {
        char *cursor = texts[i] = xstrdup(kind_lines[i].line);
        ck_assert(proc_map_parse(&cursor, &list[i]));
    }
    struct mapping_stacks stacks = mapping_kinds(list, ARRAY_LENGTH(list), &points, uses);
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++)
        ck_assert_msg(uses[i].kind == kind_lines[i].kind, "%s: %s", kind_lines[i].line,
                      mapping_kind_rows[uses[i].kind].key);
    ck_assert_uint_eq(stacks.found, 2);
    ck_assert_uint_eq(stacks.by_size, 1);
    ck_assert_uint_eq(uses[0].file, uses[2].file);
    ck_assert_uint_ne(uses[0].file, uses[5].file);
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++)
        free(texts[i]);
}
END_TEST

// --- pages

static struct proc_map ours(const char *memory, size_t size)
{
    uint64_t start = (uint64_t)(uintptr_t)memory;
    return (struct proc_map){.start = start, .end = start + size, .path = ""};
}

// In both ways; the kernel's zeros count as resident only where it cannot tell them.
START_TEST(pages)
{
    size_t size = 64 * PAGE;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    AUTO_FD int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    const struct proc_map list[] = {
        ours(memory, 10 * PAGE), ours(memory + 10 * PAGE, 20 * PAGE),
        ours(memory + 30 * PAGE, 34 * PAGE),
        {.start = 0xffffffffff600000, .end = 0xffffffffff601000, .path = "[vsyscall]"},
    };
    struct resident scanned[4], read[4];
    madvise(memory, size, MADV_NOHUGEPAGE);
    memset(memory + 5 * PAGE, 1, 10 * PAGE); // on both sides of a border
    memory[31 * PAGE] = 1;
    memory[63 * PAGE] = 1;
    ck_assert_int_eq(resident_read(pagemap, list, 4, scanned), RC_OK);
    ck_assert_int_eq(resident_read_pages(pagemap, list, 4, read), RC_OK);
    const uint64_t expected[] = {5 * PAGE, 5 * PAGE, 2 * PAGE, 0};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(scanned[i].bytes, expected[i]);
        ck_assert_uint_eq(read[i].bytes, expected[i]);
        ck_assert_uint_eq(scanned[i].swapped + scanned[i].huge + read[i].swapped, 0);
    }
    munmap(memory, size);
}
END_TEST

START_TEST(too_many_pages_to_ask_one_by_one)
{
    const struct proc_map list[] = {{.start = 1ull << 30, .end = 1ull << 46, .path = ""}};
    struct resident resident;
    AUTO_FD int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(resident_read_pages(pagemap, list, 1, &resident), RC_LIMIT);
}
END_TEST

// --- cgroups

START_TEST(group_of_version_2)
{
    struct memory_group group;
    tree_put("/proc/7/cgroup", "3:cpu:/x\n0::/pods/pod 1/a\n");
    tree_put("/sys/fs/cgroup/pods/memory.max", "1048576\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/memory.max", "4194304\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.max", "max\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.high", "524288\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.current", "262144\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.swap.current", "\xff\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.events",
        "low 0\nhigh 3\nmax 5\noom 2\noom_kill 1\noom_group_kill 9\n");
    tree_put("/sys/fs/cgroup/pods/pod 1/a/memory.pressure",
        "some avg10=1.05 avg60=0.50 avg300=100.00 total=17075\n"
        "full avg10=0.00 avg60=0.00 avg300=0.25 total=644\n");
    memory_group_read(&group, tree_root, 7);
    ck_assert_int_eq(group.version, 2);
    ck_assert_str_eq(group.path, "/pods/pod 1/a");
    ck_assert_ptr_null(group.why);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_USE], 262144);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_LIMIT], MEMORY_NO_LIMIT);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_HIGH], 524288);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_SWAP], MEMORY_UNKNOWN);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_OOM], 2);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_OOM_KILLS], 1);
    ck_assert_uint_eq(group.lowest_limit, MIB);
    ck_assert_str_eq(group.limit_path, "/pods");
    ck_assert_ptr_null(group.pressure_why);
    ck_assert_double_eq_tol(group.some.percent[0], 1.05, 1e-9);
    ck_assert_double_eq_tol(group.some.percent[2], 100, 1e-9);
    ck_assert_uint_eq(group.full.total_us, 644);
    memory_group_fini(&group);
}
END_TEST

START_TEST(group_of_version_1)
{
    struct memory_group group;
    tree_put("/proc/7/cgroup", "9:name=systemd:/\n4:hugetlb,memory:/docker/f\n0::/\n");
    tree_put("/sys/fs/cgroup/memory/docker/f/memory.limit_in_bytes", "9223372036854771712\n");
    tree_put("/sys/fs/cgroup/memory/docker/f/memory.usage_in_bytes", "8192\n");
    tree_put("/sys/fs/cgroup/memory/docker/f/memory.stat", "cache 1\nswap 4096\ntotal_swap 9\n");
    tree_put("/sys/fs/cgroup/memory/docker/f/memory.oom_control", "under_oom 0\noom_kill 3\n");
    memory_group_read(&group, tree_root, 7);
    ck_assert_int_eq(group.version, 1);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_USE], 8192);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_LIMIT], MEMORY_NO_LIMIT);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_SWAP], 4096);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_OOM_KILLS], 3);
    ck_assert_uint_eq(group.lowest_limit, MEMORY_NO_LIMIT);
    ck_assert_ptr_nonnull(group.pressure_why);
    memory_group_fini(&group);
}
END_TEST

static const char *const out_of_reach[] = {
    "0::/../../other\n", "0::/gone\n", "", "x", "0:\n", "0::/\n", "0::/plain\n",
    "4:memory:/../other\n0::/\n", "4:memory:/gone\n0::/counted\n",
};

START_TEST(group_out_of_reach)
{
    struct memory_group group;
    tree_put("/proc/7/cgroup", out_of_reach[_i]);
    tree_put("/sys/fs/cgroup/cgroup.procs", "7\n");
    tree_put("/sys/fs/cgroup/plain/cgroup.procs", "7\n");
    tree_put("/sys/fs/cgroup/counted/memory.current", "4096\n");
    memory_group_read(&group, tree_root, 7);
    ck_assert_ptr_nonnull(group.why);
    ck_assert_uint_eq(group.figures[MEMORY_GROUP_USE], MEMORY_UNKNOWN);
    ck_assert_uint_eq(group.lowest_limit, MEMORY_NO_LIMIT);
    memory_group_fini(&group);
}
END_TEST

// --- all of it, of this process

START_TEST(of_ourselves)
{
    struct memory_look *look;
    struct memory_use *use;
    struct err err = {0};
    ck_assert_int_eq(memory_look_open(getpid(), &(struct memory_look_options){.pss = _i}, &look,
                                      &err), RC_OK);
    ck_assert_int_eq(memory_look_take(look, &use, &err), RC_OK);
    ck_assert_ptr_null(use->mappings_why);
    uint64_t rss = use->status.bytes[MEMORY_RSS], sum = 0;
    for (size_t i = 0; i < MAPPING_KIND_COUNT; i++)
        sum += use->kinds[i].resident;
    ck_assert_uint_eq(sum, use->all.resident);
    ck_assert_uint_le(sum, rss + MIB);
    ck_assert_uint_ge(sum + MIB, rss);
    ck_assert_uint_eq(use->all.pss == MEMORY_UNKNOWN, !_i);
    ck_assert_uint_eq(use->kinds[MAPPING_MAIN_STACK].mappings, 1);
    ck_assert_uint_gt(use->file_count, 1);
    ck_assert_uint_ge(use->files[0].sizes.resident, use->files[1].sizes.resident);
    memory_use_free(use);
    memory_look_close(look);
}
END_TEST

Suite *suite_memory_use(void);
Suite *suite_memory_use(void)
{
    Suite *suite = suite_create("memory_use");
    TCase *tests = tcase_create("texts"), *groups = tcase_create("groups");
    tcase_add_test(tests, status_text);
    tcase_add_test(tests, smaps_text);
    tcase_add_test(tests, smaps_cut_anywhere);
    tcase_add_test(tests, smaps_strange);
    tcase_add_test(tests, kinds);
    tcase_add_test(tests, pages);
    tcase_add_test(tests, too_many_pages_to_ask_one_by_one);
    tcase_add_loop_test(tests, of_ourselves, 0, 2);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(groups, tree_make, tree_remove);
    tcase_add_test(groups, group_of_version_2);
    tcase_add_test(groups, group_of_version_1);
    tcase_add_loop_test(groups, group_out_of_reach, 0, (int)ARRAY_LENGTH(out_of_reach));
    suite_add_tcase(suite, groups);
    return suite;
}
