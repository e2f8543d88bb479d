// SPDX-License-Identifier: MIT
#include "process/kernel_stack.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/procfs.h"

static struct kernel_stack stack;

static void parse(const char *text, size_t count)
{
    static char copy[65536];
    snprintf(copy, sizeof copy, "%s", text);
    kernel_stack_parse(copy, &stack);
    ck_assert_uint_eq(stack.count, count);
}

static void assert_frame(size_t at, const char *function, uint64_t offset, const char *module)
{
    ck_assert_str_eq(stack.frames[at].function, function);
    ck_assert_uint_eq(stack.frames[at].offset, offset);
    ck_assert_str_eq(stack.frames[at].module, module);
}

START_TEST(lines)
{
    parse("[<0>] hrtimer_nanosleep+0x93/0x120\n"
          "[<0>] rpc_wait_bit_killable+0x1f/0xa0 [sunrpc]\n"
          "[<0>] __x64_sys_poll.part.0+0xffff/0x140\n", 3);
    assert_frame(0, "hrtimer_nanosleep", 0x93, "");
    assert_frame(1, "rpc_wait_bit_killable", 0x1f, "sunrpc");
    assert_frame(2, "__x64_sys_poll.part.0", 0xffff, "");
}
END_TEST

START_TEST(older_kernels)
{
    parse("[<ffffffff810a3b5c>] do_wait+0x1cc/0x230\n[<ffffffffffffffff>] 0xffffffffffffffff", 1);
    assert_frame(0, "do_wait", 0x1cc, "");
}
END_TEST

START_TEST(no_frames)
{
    static const char *const texts[] = {"", "\n\n", "[<0>] ", "[<0>] +0x1/0x2\n", "do_wait+0x1\n",
                                        "[<0>", "[<0>]", "[<0>] 0x0\n", "x[<0>] f+0x1/0x2\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        parse(texts[i], 0);
}
END_TEST

START_TEST(odd_ends)
{
    parse("[<0>] f+\n[<0>] g+0x10\n[<0>] h+0x10/0x20 [m\n[<0>] i+0x1/0x2 [m] x\n[<0>] a b+0x1", 5);
    assert_frame(0, "f", 0, "");
    assert_frame(1, "g", 16, "");
    assert_frame(2, "h", 16, "");
    assert_frame(3, "i", 1, "");
}
END_TEST

START_TEST(at_most_so_many)
{
    AUTO_FREE char *text = xcalloc(100, 32);
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "[<0>] f%d+0x1/0x2\n", i);
    parse(text, KERNEL_STACK_MAX);
    assert_frame(63, "f63", 1, "");
}
END_TEST

START_TEST(a_sleeper)
{
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    struct proc_stat stat = {0};
    while (stat.state != 'S')
        ck_assert_int_eq(procfs_stat(child, child, &stat), RC_OK);
    enum rc rc = kernel_stack_read(child, child, &stack);
    ck_assert(rc == RC_OK || rc == RC_DENIED || rc == RC_GONE);
    bool found = rc != RC_OK || !stack.count; // a kernel that does not tell
    for (size_t i = 0; i < stack.count; i++)
        found |= strstr(stack.frames[i].function, "pause") != NULL;
    ck_assert(found);
    kernel_stack_fini(&stack);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(kernel_stack_read(child, child, &stack), RC_GONE);
    kernel_stack_fini(&stack);
}
END_TEST

Suite *suite_kernel_stack(void);
Suite *suite_kernel_stack(void)
{
    Suite *suite = suite_create("kernel_stack");
    TCase *test = tcase_create("kernel_stack");
    tcase_add_test(test, lines);
    tcase_add_test(test, older_kernels);
    tcase_add_test(test, no_frames);
    tcase_add_test(test, odd_ends);
    tcase_add_test(test, at_most_so_many);
    tcase_add_test(test, a_sleeper);
    suite_add_tcase(suite, test);
    return suite;
}
