// SPDX-License-Identifier: MIT
// The symbol process, with this program as the file that it reads.
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbol/binary.h"
#include "symbol/worker.h"

static size_t symbols, texts, restarts;
static char last_text[512];

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length)
{
    (void)context, (void)shown, (void)shown_length;
    texts++;
    snprintf(last_text, sizeof last_text, "%.*s", (int)raw_length, raw);
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    (void)context, (void)symbol, (void)lines;
    symbols++;
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    (void)context, (void)has_lines, (void)text, (void)length;
}

static void restarted(void *context)
{
    (void)context;
    restarts++;
}

static const struct wire_sink sink = {NULL, take_text, take_symbol, take_tried};
static struct roots roots;
static struct worker *worker;

static void setup(void)
{
    symbols = texts = restarts = 0;
    worker = worker_new(&sink, restarted, &roots);
    worker_isolate(worker);
}

static void teardown(void)
{
    worker_free(worker);
}

static int open_path(void *context)
{
    return open(context, O_RDONLY | O_CLOEXEC);
}

static enum rc ask(const char *path, uint32_t module, const uint64_t *vaddrs, size_t count)
{
    return worker_ask(worker, &(struct worker_question){.module = module,
                                                        .path = path,
                                                        .depth = BINARY_ALL,
                                                        .open = open_path,
                                                        .context = (void *)path,
                                                        .vaddrs = vaddrs,
                                                        .count = count});
}

// A link-time address of this program.
static uint64_t address_of_ask(void)
{
    struct elf_file file;
    uint64_t found = 0;
    ck_assert_int_eq(elf_file_map(open("/proc/self/exe", O_RDONLY), &file, NULL), RC_OK);
    for (size_t i = 0; i < file.image->segment_count; i++)
        if (file.image->segments[i].flags & 1)
            found = file.image->segments[i].vaddr + file.image->segments[i].file_size / 2;
    elf_file_fini(&file);
    return found;
}

START_TEST(test_answers)
{
    uint64_t vaddrs[] = {address_of_ask(), 1, address_of_ask() + 64};
    ck_assert_int_eq(worker_pid(worker), 0);
    ck_assert_int_eq(ask("/proc/self/exe", 3, vaddrs, 3), RC_OK);
    ck_assert_uint_eq(symbols, 3);
    ck_assert_uint_gt(texts, 0);
    int pid = worker_pid(worker);
    ck_assert_int_gt(pid, 0);
    size_t before = texts;
    ck_assert_int_eq(ask("/proc/self/exe", 3, vaddrs, 3), RC_OK);
    ck_assert_uint_eq(symbols, 6);
    ck_assert_uint_eq(texts, before); // each once
    ck_assert_int_eq(worker_pid(worker), pid);
}
END_TEST

START_TEST(test_no_file)
{
    ck_assert_int_eq(ask("/nonexistent", 0, (uint64_t[]){4096}, 1), RC_IO);
}
END_TEST

START_TEST(test_not_elf)
{
    ck_assert_int_eq(ask("/proc/self/maps", 0, (uint64_t[]){4096}, 1), RC_OK);
    ck_assert_uint_eq(symbols, 1);
    ck_assert_uint_eq(texts, 0);
}
END_TEST

START_TEST(test_killed)
{
    uint64_t vaddr = address_of_ask();
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    kill(worker_pid(worker), SIGKILL);
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_FAIL);
    ck_assert_uint_eq(restarts, 1);
    ck_assert_int_eq(worker_pid(worker), 0);
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    ck_assert_uint_eq(symbols, 2);
}
END_TEST

START_TEST(test_hanging)
{
    uint64_t vaddr = address_of_ask();
    worker_set_patience(worker, 100);
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    kill(worker_pid(worker), SIGSTOP);
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_TIMEOUT);
    ck_assert_int_eq(worker_pid(worker), 0);
}
END_TEST

// The owner of the file cuts it off while it is read: whoever touches what was there dies.
START_TEST(test_truncated_while_open)
{
    char path[] = "/tmp/test_worker.XXXXXX";
    int to = mkstemp(path), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *bytes = xmalloc(1 << 20);
    for (ssize_t got; (got = read(from, bytes, 1 << 20)) > 0;)
        ck_assert_int_eq(write(to, bytes, (size_t)got), got);
    close(from);
    uint64_t vaddr = address_of_ask();
    ck_assert_int_eq(ask(path, 0, &vaddr, 1), RC_OK);
    ck_assert_int_eq(ftruncate(to, 0), 0);
    uint64_t more[200];
    for (size_t i = 0; i < ARRAY_LENGTH(more); i++)
        more[i] = vaddr - 200 * 256 + i * 256;
    enum rc rc = ask(path, 0, more, ARRAY_LENGTH(more));
    ck_assert(rc == RC_FAIL || rc == RC_OK); // OK: this program has no DWARF that is read late
    ck_assert_int_eq(ask("/proc/self/exe", 1, &vaddr, 1), RC_OK);
    unlink(path);
    close(to);
}
END_TEST

Suite *suite_worker(void)
{
    Suite *suite = suite_create("worker");
    TCase *cases = tcase_create("worker");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_answers);
    tcase_add_test(cases, test_no_file);
    tcase_add_test(cases, test_not_elf);
    tcase_add_test(cases, test_killed);
    tcase_add_test(cases, test_hanging);
    tcase_add_test(cases, test_truncated_while_open);
    suite_add_tcase(suite, cases);
    return suite;
}
