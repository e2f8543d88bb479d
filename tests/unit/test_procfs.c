// SPDX-License-Identifier: MIT
#include "process/procfs.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

// --- maps

static const struct {
    const char *line;
    struct proc_map map; // start 0: no maps line
} lines[] = {
    {"55d0c0a00000-55d0c0a22000 r-xp 00002000 fd:01 1234567                    /usr/bin/cat\n",
     {0x55d0c0a00000, 0x55d0c0a22000, 0x2000, true, false, true, false, 0, 1234567,
      "/usr/bin/cat"}},
    {"7f0000000000-7f0000001000 rw-s 00000000 00:05 8                          /dev/zero (deleted)",
     {0x7f0000000000, 0x7f0000001000, 0, true, true, false, true, 0, 8, "/dev/zero (deleted)"}},
    {"7ffd0000-7ffd1000 ---p 00000000 00:00 0 \n",
     {0x7ffd0000, 0x7ffd1000, 0, false, false, false, false, 0, 0, ""}},
    {"7ffd0000-7ffd1000 r-xp 00000000 00:00 0                                  [vdso]\n",
     {0x7ffd0000, 0x7ffd1000, 0, true, false, true, false, 0, 0, "[vdso]"}},
    {"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
     {0xffffffffff600000, 0xffffffffff601000, 0, false, false, true, false, 0, 0, "[vsyscall]"}},
    // names as they are: a newline is \012; two blanks stay; anything but three octal digits stays
    {"1000-2000 r-xp 0 08:02 5 /tmp/a\\012b\\040c  d\n",
     {0x1000, 0x2000, 0, true, false, true, false, 0, 5, "/tmp/a\nb c  d"}},
    {"1000-2000 r-xp 0 08:02 5 /tmp/\\\\\\8\\01\\9\\400\\\n",
     {0x1000, 0x2000, 0, true, false, true, false, 0, 5, "/tmp/\\\\\\8\\01\\9\\400\\"}},
    {"1000-2000 r-xp 0 08:02 5 /tmp/\\377\\134\xff\xfe\x1b[2J\n",
     {0x1000, 0x2000, 0, true, false, true, false, 0, 5, "/tmp/\xff\\\xff\xfe\x1b[2J"}},
    {"1000-2000 r-xp 0 08:02 5 /tmp/x (deleted) (deleted)\n",
     {0x1000, 0x2000, 0, true, false, true, false, 0, 5, "/tmp/x (deleted) (deleted)"}},
    // torn or strange
    {"1000-2000 r-xp 00000000 08:02\n", {0}},
    {"1000-2000 r-xp\n", {0}},
    {"1000-2000 r-xp", {0}},
    {"1000-2000 r-xp 0 08:02 x /tmp/x\n", {0}},
    {"1000-10000000000000000 r-xp 0 08:02 5 /tmp/x\n", {0}},
    // as other programs write it
    {"  1000-2ABC r-xp  0 08:02  5 /tmp/x\n",
     {0x1000, 0x2abc, 0, true, false, true, false, 0, 5, "/tmp/x"}},
    {"1000-2000 r-x 00000000 08:02 5 /tmp/x\n", {0}},
    {"1000-2000 r-xpp 00000000 08:02 5 /tmp/x\n", {0}},
    {"1000 r-xp 00000000 08:02 5 /tmp/x\n", {0}},
    {"2000-1000 r-xp 00000000 08:02 5 /tmp/x\n", {0}},
    {"1000-1000 r-xp 00000000 08:02 5 /tmp/x\n", {0}},
    {"xyz\n", {0}},
    {"\n", {0}},
    {"", {0}},
};

static void assert_same_map(const struct proc_map *map, const struct proc_map *expected)
{
    ck_assert_uint_eq(map->start, expected->start);
    ck_assert_uint_eq(map->end, expected->end);
    ck_assert_uint_eq(map->offset, expected->offset);
    ck_assert_int_eq(map->readable, expected->readable);
    ck_assert_int_eq(map->writable, expected->writable);
    ck_assert_int_eq(map->executable, expected->executable);
    ck_assert_int_eq(map->shared, expected->shared);
    ck_assert_uint_eq(map->inode, expected->inode);
    ck_assert_str_eq(map->path, expected->path);
}

START_TEST(maps_line)
{
    const struct proc_map *expected = &lines[_i].map;
    struct proc_map map;
    AUTO_FREE char *text = xstrdup(lines[_i].line);
    size_t length = strlen(text);
    char *cursor = text;
    ck_assert_int_eq(proc_map_parse(&cursor, &map), expected->start != 0);
    ck_assert_ptr_eq(cursor, text + length); // consumed either way
    if (expected->start) {
        assert_same_map(&map, expected);
        ck_assert(map.path >= text && map.path <= text + length);
    }
    ck_assert(!proc_map_parse(&cursor, &map));
}
END_TEST

START_TEST(maps_device)
{
    char text[] = "1000-2000 r-xp 0 fd:1a 5 /x\n", *cursor = text;
    struct proc_map map;
    ck_assert(proc_map_parse(&cursor, &map));
    ck_assert_uint_eq(map.device, makedev(0xfd, 0x1a));
}
END_TEST

START_TEST(maps_passes_over_bad_lines)
{
    char text[] = "garbage\n1000-2000 r-xp 0 08:02 5 /one\n\n\x01\x02\n"
                  "3000-4000 r-xp 0 08:02 6 /two\n5000-6000 r-xp 0 08:0";
    struct proc_map map;
    char *cursor = text;
    ck_assert(proc_map_parse(&cursor, &map));
    ck_assert_str_eq(map.path, "/one");
    ck_assert(proc_map_parse(&cursor, &map));
    ck_assert_str_eq(map.path, "/two");
    ck_assert(!proc_map_parse(&cursor, &map));
}
END_TEST

// Cut at any byte, nothing but what is there is read (under the sanitizers), and no range made up.
START_TEST(maps_cut_anywhere)
{
    static const char whole[] =
        "55d0c0a00000-55d0c0a22000 r-xp 00002000 fd:01 1234567   /bin/\\012t";
    for (size_t length = 0; length < sizeof whole; length++) {
        AUTO_FREE char *text = xstrndup(whole, length);
        struct proc_map map;
        char *cursor = text;
        if (!proc_map_parse(&cursor, &map))
            continue;
        ck_assert_uint_eq(map.start, 0x55d0c0a00000);
        ck_assert_uint_eq(map.end, 0x55d0c0a22000);
        ck_assert_uint_eq(map.offset, 0x2000);
        ck_assert_uint_le(strlen(map.path), strlen("/bin/\\01"));
    }
}
END_TEST

static int here;

START_TEST(maps_of_ourselves)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    bool code = false, data = false;
    ck_assert_int_eq(procfs_read(&text, "/proc/%d/maps", getpid()), RC_OK);
    for (char *cursor = text.data; proc_map_parse(&cursor, &map);) {
        uint64_t size = map.end - map.start;
        code |= map.executable && (uint64_t)(uintptr_t)proc_map_parse - map.start < size;
        data |= map.writable && (uint64_t)(uintptr_t)&here - map.start < size;
    }
    ck_assert(code && data);
}
END_TEST

// --- stat

#define STAT_TAIL " S 7 4242 4242 34816 4242 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 1 2\n"

static const struct {
    const char *text, *comm;
} stats[] = {
    {"4242 (cat)" STAT_TAIL, "cat"},
    {"4242 ()" STAT_TAIL, ""},
    {"4242 (a) R 1 (b)" STAT_TAIL, "a) R 1 (b"},
    {"4242 (:-)\n)" STAT_TAIL, ":-)\n"},
    {"4242 (\x1b[31m\xff)" STAT_TAIL, "\x1b[31m\xff"},
    {"4242 (kworker/u16:3-events_unbound)" STAT_TAIL, "kworker/u16:3-events_unbound"},
    {"4242 (cat", NULL},
    {"4242 cat)" STAT_TAIL, NULL},
    {"4242 )(" STAT_TAIL, NULL},
    {"4242 (cat) S 7 4242", NULL},
    {"4242 (cat)", NULL},
    {"", NULL},
};

static void assert_stat(const struct proc_stat *stat, const char *comm)
{
    ck_assert_int_eq(stat->pid, 4242);
    ck_assert_int_eq(stat->parent, 7);
    ck_assert_str_eq(stat->comm, comm);
    ck_assert_int_eq(stat->state, 'S');
    ck_assert_uint_eq(stat->flags, 4194560);
    ck_assert_int_eq(stat->threads, 3);
    ck_assert_uint_eq(stat->start_time, 987654);
    ck_assert_uint_eq(stat->children_ticks, 7 + 8);
}

START_TEST(stat_text)
{
    struct proc_stat stat;
    ck_assert_int_eq(proc_stat_parse(stats[_i].text, &stat), stats[_i].comm != NULL);
    if (stats[_i].comm)
        assert_stat(&stat, stats[_i].comm);
}
END_TEST

START_TEST(stat_name_is_cut)
{
    struct proc_stat stat;
    AUTO_FREE char *text = xasprintf("1 (%0200d)" STAT_TAIL, 0);
    ck_assert(proc_stat_parse(text, &stat));
    ck_assert_uint_eq(strlen(stat.comm), COMM_MAX - 1);
}
END_TEST

START_TEST(stat_of_ourselves)
{
    struct proc_stat stat;
    char comm[COMM_MAX];
    prctl(PR_SET_NAME, ") R (\n)");
    ck_assert_int_eq(procfs_stat(getpid(), getpid(), &stat), RC_OK);
    ck_assert_int_eq(stat.pid, getpid());
    ck_assert_int_eq(stat.parent, getppid());
    ck_assert_str_eq(stat.comm, ") R (\n)");
    ck_assert_int_eq(stat.state, 'R');
    ck_assert_int_eq(stat.threads, 1);
    ck_assert_int_eq(procfs_comm(getpid(), getpid(), comm), RC_OK);
    ck_assert_str_eq(comm, ") R (\n)");
}
END_TEST

// --- status

static const char status_text[] =
    "Name:\tpostgres\\nUid:\t1\nUmask:\t0022\nState:\tT (stopped)\nTgid:\t4242\nNgid:\t0\n"
    "Pid:\t4243\nPPid:\t17\nTracerPid:\t99\nUid:\t1000\t1001\t1002\t4294967295\n"
    "Gid:\t1\t2\t3\t4\nFDSize:\t256\n"
    "NStgid:\t4242\t10\t1\nNSpid:\t4243\t11\t2\nThreads:\t25\nCapEff:\t00000000a80425fb\n"
    "NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n";

START_TEST(status_fields)
{
    struct proc_status status;
    ck_assert(proc_status_parse(status_text, &status));
    ck_assert_int_eq(status.state, 'T');
    ck_assert_int_eq(status.tgid, 4242);
    ck_assert_int_eq(status.pid, 4243);
    ck_assert_int_eq(status.parent, 17);
    ck_assert_int_eq(status.tracer, 99);
    ck_assert_int_eq(status.inner_pid, 2);
    ck_assert_int_eq(status.uid[0], 1000);
    ck_assert_int_eq(status.uid[2], 1002);
    ck_assert_uint_eq(status.uid[3], 4294967295);
    ck_assert_int_eq(status.gid[3], 4);
    ck_assert_int_eq(status.threads, 25);
    ck_assert_uint_eq(status.effective_caps, 0xa80425fb);
    ck_assert_int_eq(status.seccomp, 2);
}
END_TEST

START_TEST(status_of_less)
{
    struct proc_status status;
    ck_assert(!proc_status_parse("", &status));
    ck_assert(!proc_status_parse("no status at all", &status));
    ck_assert(!proc_status_parse("Pid:\t1\n", &status));
    ck_assert(proc_status_parse("Tgid: 5", &status)); // an old kernel has fewer fields
    ck_assert_int_eq(status.tgid, 5);
    ck_assert_int_eq(status.inner_pid, 0);
    ck_assert_int_eq(status.seccomp, 0);
    for (size_t length = 0; length < sizeof status_text; length++) { // cut anywhere
        AUTO_FREE char *text = xstrndup(status_text, length);
        if (proc_status_parse(text, &status))
            ck_assert_int_ge(4242, status.tgid);
    }
}
END_TEST

START_TEST(status_of_ourselves)
{
    struct proc_status status;
    ck_assert_int_eq(procfs_status(getpid(), &status), RC_OK);
    ck_assert_int_eq(status.tgid, getpid());
    ck_assert_int_eq(status.pid, getpid());
    ck_assert_int_eq(status.parent, getppid());
    ck_assert_uint_eq(status.uid[1], geteuid());
    ck_assert_uint_eq(status.gid[1], getegid());
    ck_assert_int_eq(status.threads, 1);
}
END_TEST

// --- schedstat, syscall

static const struct {
    const char *text;
    bool good;
} schedstats[] = {
    {"123456789 4242 17\n", true},
    {"123456789 4242 17", true},
    {"123456789 4242\n", false},
    {"123456789 \n", false},
    {"123456789 4242 17 5\n", false},
    {"123456789 4242 x\n", false},
    {"x 4242 17\n", false},
    {"\n", false},
    {"", false},
};

START_TEST(schedstat)
{
    struct schedstat stat;
    ck_assert_int_eq(schedstat_parse(schedstats[_i].text, &stat), schedstats[_i].good);
    if (schedstats[_i].good) {
        ck_assert_uint_eq(stat.run_ns, 123456789);
        ck_assert_uint_eq(stat.wait_ns, 4242);
        ck_assert_uint_eq(stat.switches, 17);
    }
}
END_TEST

START_TEST(schedstat_of_large_numbers)
{
    struct schedstat stat;
    ck_assert(schedstat_parse("18446744073709551615 18446744073709551614 9223372036854775808\n",
                              &stat));
    ck_assert_uint_eq(stat.run_ns, UINT64_MAX);
    ck_assert_uint_eq(stat.switches, 1ull << 63);
}
END_TEST

START_TEST(syscall_text)
{
    ck_assert(proc_syscall_is_running("running\n"));
    ck_assert(proc_syscall_is_running("running"));
    ck_assert(!proc_syscall_is_running("0 0x3 0x7f00 0x1000 0x0 0x0 0x0 0x7ffd 0x7f01\n"));
    ck_assert(!proc_syscall_is_running("-1 0x7ffd 0x7f01\n")); // in the kernel for a fault, say
    ck_assert(!proc_syscall_is_running("runnin"));
    ck_assert(!proc_syscall_is_running(""));
}
END_TEST

// --- readers

static pid_t gone(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return child;
}

START_TEST(syscall_of_a_sleeper)
{
    struct proc_syscall call;
    ck_assert(proc_syscall_parse(
        "202 0x7f10 0x80 0x2 0x0 0x0 0xffffffffffffffff 0x7ffd0 0x7f1234\n", &call));
    ck_assert_int_eq(call.number, 202);
    ck_assert_uint_eq(call.args[0], 0x7f10);
    ck_assert_uint_eq(call.args[5], UINT64_MAX);
    ck_assert_uint_eq(call.sp, 0x7ffd0);
    ck_assert_uint_eq(call.pc, 0x7f1234);
    ck_assert(proc_syscall_parse("-1 0x7ffd0 0x7f1234\n", &call));
    ck_assert_int_eq(call.number, -1);
    ck_assert_uint_eq(call.args[0], 0);
    ck_assert_uint_eq(call.sp, 0x7ffd0);
    ck_assert_uint_eq(call.pc, 0x7f1234);
}
END_TEST

START_TEST(syscall_that_is_none)
{
    static const char *const texts[] = {"", "running\n", "202\n", "202 0x1 0x2\n", "-1 0x7f\n",
                                        "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n"};
    struct proc_syscall call;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        ck_assert_msg(!proc_syscall_parse(texts[i], &call), "%s", texts[i]);
}
END_TEST

START_TEST(readers_of_who_is_gone)
{
    AUTO_BUF struct buf text = {0};
    struct proc_stat stat;
    struct proc_status status;
    char comm[COMM_MAX];
    pid_t pid = gone();
    ck_assert_int_eq(procfs_read(&text, "/proc/%d/maps", pid), RC_GONE);
    ck_assert_int_eq(procfs_stat(pid, pid, &stat), RC_GONE);
    ck_assert_int_eq(procfs_status(pid, &status), RC_GONE);
    ck_assert_int_eq(procfs_comm(pid, pid, comm), RC_GONE);
    ck_assert_str_eq(comm, "");
    ck_assert_int_eq(procfs_stat(getpid(), pid, &stat), RC_GONE); // not a thread of this one
}
END_TEST

// The process ends between open and read.
START_TEST(reader_of_who_goes)
{
    AUTO_BUF struct buf text = {0};
    char path[64];
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof path, "/proc/%d/status", child);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(buf_read_fd(&text, fd, 1 << 20), RC_GONE);
}
END_TEST

struct numbers {
    unsigned count;
    bool self;
};

static void see(void *context, pid_t number)
{
    struct numbers *numbers = context;
    numbers->count++;
    numbers->self |= number == getpid();
    ck_assert_int_gt(number, 0);
}

START_TEST(each_number)
{
    AUTO_FD int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int all = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct numbers numbers = {0};
    for (unsigned round = 1; round <= 2; round++) { // from the beginning each time
        ck_assert_int_eq(procfs_each_number(tasks, see, &numbers), RC_OK);
        ck_assert_uint_eq(numbers.count, round);
    }
    ck_assert(numbers.self);
    numbers = (struct numbers){0};
    ck_assert_int_eq(procfs_each_number(all, see, &numbers), RC_OK); // has names beside numbers
    ck_assert(numbers.self);
    ck_assert_uint_gt(numbers.count, 1);
}
END_TEST

static TCase *texts(void)
{
    TCase *tests = tcase_create("texts");
    tcase_add_loop_test(tests, maps_line, 0, (int)ARRAY_LENGTH(lines));
    tcase_add_test(tests, maps_device);
    tcase_add_test(tests, maps_passes_over_bad_lines);
    tcase_add_test(tests, maps_cut_anywhere);
    tcase_add_loop_test(tests, stat_text, 0, (int)ARRAY_LENGTH(stats));
    tcase_add_test(tests, stat_name_is_cut);
    tcase_add_test(tests, status_fields);
    tcase_add_test(tests, status_of_less);
    tcase_add_loop_test(tests, schedstat, 0, (int)ARRAY_LENGTH(schedstats));
    tcase_add_test(tests, schedstat_of_large_numbers);
    tcase_add_test(tests, syscall_text);
    tcase_add_test(tests, syscall_of_a_sleeper);
    tcase_add_test(tests, syscall_that_is_none);
    return tests;
}

Suite *suite_procfs(void);

Suite *suite_procfs(void)
{
    TCase *tests = tcase_create("processes");
    tcase_add_test(tests, maps_of_ourselves);
    tcase_add_test(tests, stat_of_ourselves);
    tcase_add_test(tests, status_of_ourselves);
    tcase_add_test(tests, readers_of_who_is_gone);
    tcase_add_test(tests, reader_of_who_goes);
    tcase_add_test(tests, each_number);
    Suite *suite = suite_create("procfs");
    suite_add_tcase(suite, texts());
    suite_add_tcase(suite, tests);
    return suite;
}
