// SPDX-License-Identifier: MIT
// A frozen dump in all its formats.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_profile.h"
#include "dump/dump_print.h"

static struct module libc = {.kind = MODULE_FILE, .path = (char *)"/lib/libc.so.6",
                             .name = "libc.so.6"};
static struct module kernel = {.kind = MODULE_KERNEL, .path = (char *)"[kernel]",
                               .name = "[kernel]"};
static struct module program = {.kind = MODULE_FILE, .path = (char *)"/usr/bin/bank\n",
                                .name = "bank\n"};

#define SYMBOL(variable, at, ...)                                                                  \
    static const struct symbol_line variable##_lines[] = {__VA_ARGS__};                            \
    static const struct symbol variable = {true, false, at, variable##_lines,                      \
                                           ARRAY_LENGTH(variable##_lines)}

SYMBOL(lock_wait, 0x1f, {.name = "__lll_lock_wait", .system_name = "__lll_lock_wait", .file = ""});
SYMBOL(futex_wait, 0x67, {.name = "futex_wait", .system_name = "futex_wait", .file = ""});
SYMBOL(transfer, 0x41,
       {.name = "check<int>(int)", .system_name = "_Z5checkIiEvi", .file = "check.h", .line = 7},
       {.name = "Bank::transfer(Account&)", .system_name = "_ZN4Bank8transferER7Account",
        .file = "bank.cc", .line = 42});
SYMBOL(evil, 0x10, {.name = "evil;\033[31m", .system_name = "evil;\033[31m", .file = ""});
SYMBOL(root, 0x84, {.name = "main", .system_name = "main", .file = "main.c", .line = 12});
static const struct symbol_line unnamed_lines[] = {
    {.name = "[libc.so.6]", .system_name = "[libc.so.6]", .file = ""}};
static const struct symbol unnamed = {false, false, 0, unnamed_lines, 1};
static const struct symbol_line placed_lines[] = {
    {.name = "libc.so.6+0x27180", .system_name = "libc.so.6+0x27180", .file = ""}};
static const struct symbol placed = {false, true, 0xca, placed_lines, 1};

static struct dump dump;

static struct dump_frame frame(const struct symbol *symbol, const struct module *module,
                               uint64_t pc, bool interrupted)
{
    return (struct dump_frame){
        .pc = pc, .sp = pc >> 8, .interrupted = interrupted, .symbol = symbol, .module = module,
        .offset = pc & 0xffff};
}

static void add(const struct dump_thread *thread, const struct wait *wait, const char *text,
                const struct dump_frame *frames, size_t count)
{
    size_t i = dump.count++;
    dump.threads[i] = *thread;
    dump.threads[i].wanted = true;
    dump.threads[i].frame_count = count;
    dump.threads[i].frames = xcalloc(count, sizeof *frames);
    if (count)
        memcpy(dump.threads[i].frames, frames, count * sizeof *frames);
    dump.waits[i] = *wait;
    dump.waits[i].text = text ? xstrdup(text) : NULL;
}

static void add_lockers(void)
{
    struct dump_frame frames[] = {
        frame(&futex_wait, &kernel, 0, true),
        frame(&lock_wait, &libc, 0x7f0000008612b, true),
        frame(&transfer, &program, 0x400142, false),
        frame(&root, &program, 0x400285, false),
        frame(&placed, &libc, 0x7f000002724a, false),
    };
    struct wait wait = {.kind = WAIT_LOCK, .syscall = "futex", .object = 0x404040,
                        .object_kind = "mutex"};
    wait.owner = 2;
    add(&(struct dump_thread){.tid = 4243, .comm = "w\0331", .state = 'S', .cpu_ns = 20 * NS_PER_MS,
                              .blocked_ns = 12400 * (int64_t)NS_PER_MS},
        &wait, "mutex queue_lock, held by 4251 \"w2\"", frames, 5);
    wait.owner = 1;
    add(&(struct dump_thread){.tid = 4251, .comm = "w2", .state = 'S', .cpu_ns = 1500,
                              .blocked_ns = 190 * (int64_t)NS_PER_S},
        &wait, "mutex log_lock, held by 4243 \"w\\x1b1\"", frames, 5);
}

static void add_others(void)
{
    struct dump_frame running[] = {frame(&evil, &program, 0x400311, true)};
    struct dump_frame sleeping[] = {frame(&unnamed, &libc, 0x7f0000009545, true),
                                    frame(&unnamed, NULL, 0x1234, false)};
    const struct wait nothing = {.owner = WAIT_NOBODY};
    const struct wait sleep = {.kind = WAIT_SLEEP, .syscall = "nanosleep", .owner = WAIT_NOBODY};
    add(&(struct dump_thread){.tid = 4300, .comm = "spin", .state = 'R', .running = true,
                              .held = true, .cpu_ns = 812400 * (uint64_t)NS_PER_MS,
                              .end = UNWIND_NO_INFO},
        &nothing, NULL, running, 1);
    for (pid_t tid = 4301; tid < 4305; tid++)
        add(&(struct dump_thread){.tid = tid + (tid == 4304), .comm = "sleeper-", .state = 'S',
                                  .blocked_ns = tid * (int64_t)NS_PER_MS, .changed = tid == 4302,
                                  .end = UNWIND_NO_REGISTER},
            &sleep, "nanosleep for 1h", sleeping, 2);
    dump.threads[dump.count - 1].comm[8] = '7';
    add(&(struct dump_thread){.tid = 4400, .comm = "gone", .state = '?', .problem = DUMP_UNREAD},
        &nothing, NULL, NULL, 0);
}

static void set_up(void)
{
    dump = (struct dump){
        .pid = 4242, .comm = "bank\n", .exe = xstrdup("/usr/bin/bank\n"),
        .wall = 1769850843 * (int64_t)NS_PER_S, .lasted = 3 * NS_PER_MS,
        .threads = xcalloc(16, sizeof *dump.threads), .waits = xcalloc(16, sizeof *dump.waits),
        .in_place = 7, .held = 1, .held_max = 41 * NS_PER_US, .repaired = 1,
        .kernel = DUMP_KERNEL_READ};
    struct dump_frame frames[] = {frame(&root, &program, 0x400285, false)};
    const struct wait wait = {.kind = WAIT_POLL, .syscall = "epoll_wait", .owner = WAIT_NOBODY};
    add(&(struct dump_thread){.tid = 4242, .comm = "bank\n", .state = 'S',
                              .cpu_ns = 3210 * (uint64_t)NS_PER_MS},
        &wait, "epoll_wait on fd 5, no timeout", frames, 1);
    add_lockers();
    add_others();
    dump.verdicts = xcalloc(1, sizeof *dump.verdicts);
    dump.verdict_count = 1;
    dump.verdicts[0] = (struct verdict){
        .kind = VERDICT_DEADLOCK, .chain = xcalloc(2, sizeof(size_t)), .count = 2};
    dump.verdicts[0].chain[0] = 1;
    dump.verdicts[0].chain[1] = 2;
}

static void tear_down(void)
{
    dump_fini(&dump);
}

static void assert_golden(const char *name,
                          void (*print)(struct buf *, const struct dump *,
                                        const struct dump_style *),
                          const struct dump_style *style)
{
    AUTO_BUF struct buf text = {0};
    print(&text, &dump, style);
    fixture_golden(name, text.data);
}

START_TEST(text)
{
    assert_golden("dump.txt", dump_text, &(struct dump_style){0});
    assert_golden("dump-wide.txt", dump_text,
                  &(struct dump_style){.aligned = true, .verbose = true});
}
END_TEST

START_TEST(text_of_a_chain)
{
    dump.verdicts[0].kind = VERDICT_CHAIN;
    dump.verdicts[0].waiting = 1;
    dump.kernel = DUMP_KERNEL_DENIED;
    dump.end = DUMP_TIMEOUT;
    assert_golden("dump-chain.txt", dump_text, &(struct dump_style){.depth = 1, .color = true});
}
END_TEST

START_TEST(groups)
{
    assert_golden("dump-group.txt", dump_text, &(struct dump_style){.group = true});
}
END_TEST

// What names have in common ends between characters: é and è differ in their second byte.
START_TEST(group_of_names_in_utf8)
{
    AUTO_BUF struct buf printed = {0};
    for (size_t i = 0; i < dump.count; i++)
        if (strncmp(dump.threads[i].comm, "sleeper-", 8) == 0)
            strcpy(dump.threads[i].comm, i % 2 ? "caf\xc3\xa9" : "caf\xc3\xa8");
    dump_text(&printed, &dump, &(struct dump_style){.group = true});
    ck_assert_ptr_nonnull(strstr(printed.data, "4 threads: 4301-4303,4305 \"caf*\""));
}
END_TEST

START_TEST(what_changed)
{
    AUTO_BUF struct buf out = {0};
    dump_text(&out, &dump, &(struct dump_style){.repeated = true});
    ck_assert_ptr_nonnull(strstr(out.data, "Thread 4302 "));
    ck_assert_ptr_null(strstr(out.data, "Thread 4301 "));
}
END_TEST

START_TEST(json)
{
    assert_golden("dump.json", dump_json, &(struct dump_style){0});
}
END_TEST

START_TEST(go)
{
    assert_golden("dump.go", dump_go, &(struct dump_style){.depth = 3});
}
END_TEST

START_TEST(equal_stacks_are_one_group)
{
    size_t first[16];
    dump.threads[6].wanted = false;
    dump_group(&dump, first);
    ck_assert_uint_eq(first[1], 1);
    ck_assert_uint_eq(first[2], 2); // the same stack, another lock
    ck_assert_uint_eq(first[4], 4);
    ck_assert_uint_eq(first[5], 4);
    ck_assert_uint_eq(first[6], DUMP_NO_GROUP);
    ck_assert_uint_eq(first[7], 4);
}
END_TEST

START_TEST(a_pool_is_one_group)
{
    AUTO_BUF struct buf out = {0};
    free(dump.waits[5].text);
    dump.waits[5].text = xstrdup("nanosleep for 2h");
    dump_text(&out, &dump, &(struct dump_style){.group = true});
    ck_assert_ptr_nonnull(strstr(out.data, "\n4 threads: 4301-4303,4305 \"sleeper-*\"  S nanosleep "
                                           "for 1h (and 1 more like it), at least 4.3s"));
}
END_TEST

START_TEST(a_thread_of_the_kernel_runs)
{
    AUTO_BUF struct buf out = {0};
    const struct wait worker = {.kind = WAIT_OTHER, .owner = WAIT_NOBODY};
    add(&(struct dump_thread){.tid = 4500, .comm = "iou-sqp-4242", .state = 'R', .running = true},
        &worker, "a thread of the kernel for io_uring: no user code", NULL, 0);
    dump_text(&out, &dump, &(struct dump_style){0});
    ck_assert_ptr_nonnull(strstr(out.data, "Thread 4500 \"iou-sqp-4242\"  R a thread of the kernel "
                                           "for io_uring: no user code"));
}
END_TEST

Suite *suite_dump(void);
Suite *suite_dump(void)
{
    TCase *tests = tcase_create("dump");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, text);
    tcase_add_test(tests, text_of_a_chain);
    tcase_add_test(tests, groups);
    tcase_add_test(tests, group_of_names_in_utf8);
    tcase_add_test(tests, what_changed);
    tcase_add_test(tests, json);
    tcase_add_test(tests, go);
    tcase_add_test(tests, equal_stacks_are_one_group);
    tcase_add_test(tests, a_pool_is_one_group);
    tcase_add_test(tests, a_thread_of_the_kernel_runs);
    Suite *suite = suite_create("dump");
    suite_add_tcase(suite, tests);
    return suite;
}
