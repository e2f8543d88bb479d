// SPDX-License-Identifier: MIT
// The symbol process, with this program as the file that it reads.
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/memory_room.h"
#include "reader/channel.h"
#include "symbol/reader/binary.h"
#include "symbol/worker.h"
#include "tests/unit/skip.h"

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
    extern const char __executable_start; // the linker's: where the first segment is
    struct elf_file file;
    ck_assert_int_eq(elf_file_map(open("/proc/self/exe", O_RDONLY), &file, NULL), RC_OK);
    uint64_t first = file.image->segments[0].vaddr;
    elf_file_fini(&file);
    return (uint64_t)&ask - (uint64_t)&__executable_start + first;
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

// Whoever shares the memory cgroup is not to die of what it needs.
START_TEST(test_dies_first)
{
    uint64_t vaddr = address_of_ask();
    char path[64], text[4096] = "", *limit;
    int score = 0;
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", worker_pid(worker));
    AUTO_FILE FILE *scores = fopen(path, "r");
    ck_assert(scores && fscanf(scores, "%d", &score) == 1);
    ck_assert_int_eq(score, 1000);
    snprintf(path, sizeof path, "/proc/%d/limits", worker_pid(worker));
    AUTO_FILE FILE *limits = fopen(path, "r");
    ck_assert(limits && fread(text, 1, sizeof text - 1, limits) > 0);
    ck_assert_ptr_nonnull(limit = strstr(text, "Max data size"));
#ifndef __SANITIZE_ADDRESS__
    unsigned long long most = strtoull(limit + strlen("Max data size"), NULL, 10);
    ck_assert_uint_gt(most, 0); // not "unlimited"
    ck_assert_uint_le(most, memory_room("") + (1ull << 30));
#endif
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
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    worker_set_patience(worker, 100);
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

// --- a symbol process in the wrong hands

static void take_question(int channel)
{
    static char question[WIRE_MESSAGE_MAX];
    int fd;
    if (channel_receive(channel, question, sizeof question, &fd) <= 0)
        _exit(EXIT_FAILURE);
}

static void answer(int channel, enum wire_type type, const void *bytes, size_t length)
{
    AUTO_BUF struct buf message = {0};
    wire_put(&message, type, bytes, length, NULL, 0);
    if (!channel_send(channel, message.data, message.length, -1))
        _exit(EXIT_FAILURE);
}

static void want_without_end(int channel)
{
    for (;;)
        answer(channel, RECORD_WANT, "/proc/self/exe", strlen("/proc/self/exe"));
}

static void name_one_address_often(int channel)
{
    const struct {
        struct wire_symbol symbol;
        struct wire_line line;
    } both = {.symbol = {.line_count = 1}};
    take_question(channel);
    answer(channel, RECORD_DONE, NULL, 0);
    take_question(channel);
    for (;;)
        answer(channel, RECORD_SYMBOL, &both, sizeof both);
}

static void say_nonsense(int channel)
{
    char noise[WIRE_MESSAGE_MAX];
    memset(noise, 0x5a, sizeof noise);
    channel_send(channel, noise, sizeof noise, -1);
    pause();
}

static void say_too_much(int channel)
{
    static char noise[WIRE_MESSAGE_MAX + 1];
    channel_send(channel, noise, sizeof noise, -1);
    pause();
}

static void send_descriptors(int channel)
{
    struct wire_record record = {RECORD_TRIED, 0};
    for (int i = 0; i < 100; i++)
        channel_send(channel, "", 0, channel);
    channel_send(channel, &record, sizeof record, channel);
    pause();
}

static void leave(int channel)
{
    (void)channel;
}

static size_t open_descriptors(const char *directory)
{
    size_t count = 0;
    DIR *listing = opendir(directory);
    while (listing && readdir(listing))
        count++;
    if (listing)
        closedir(listing);
    return count;
}

START_TEST(test_hostile)
{
    static const struct {
        void (*serve)(int channel);
        enum rc rc;
    } hostile[] = {
        {want_without_end, RC_FAIL},         {want_without_end, RC_FAIL},
        {name_one_address_often, RC_FORMAT}, {say_nonsense, RC_FORMAT},
        {say_too_much, RC_FAIL},             {send_descriptors, RC_FAIL},
        {leave, RC_FAIL},
    };
    uint64_t vaddrs[2] = {4096, 4097};
    size_t before = open_descriptors("/proc/self/fd");
    for (size_t i = 0; i < ARRAY_LENGTH(hostile); i++) {
        worker_set_service(worker, hostile[i].serve);
        bool endless = hostile[i].serve == want_without_end; // which of the two limits comes first
        worker_set_patience(worker, endless ? 300 : 20000);
        enum rc rc = ask("/bin/true", 0, vaddrs, 2);
        ck_assert_msg(rc == hostile[i].rc || (rc == RC_TIMEOUT && endless), "%zu: %d", i, rc);
        ck_assert_int_eq(worker_pid(worker), 0);
        ck_assert_msg(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
    }
    ck_assert_uint_le(symbols, 2);
    ck_assert_uint_eq(open_descriptors("/proc/self/fd"), before);
    worker_set_service(worker, worker_serve);
    worker_set_patience(worker, 60000);
    ck_assert_int_eq(ask("/bin/true", 0, vaddrs, 2), RC_OK);
}
END_TEST

START_TEST(test_many_modules)
{
    uint64_t vaddr = 4096;
    char theirs[64];
    ck_assert_int_eq(ask("/bin/true", 0, &vaddr, 1), RC_OK);
    size_t before = open_descriptors("/proc/self/fd");
    snprintf(theirs, sizeof theirs, "/proc/%d/fd", worker_pid(worker));
    size_t before_there = open_descriptors(theirs); // 0 where we may not look
    int pid = worker_pid(worker);
    for (uint32_t module = 1; module <= 1000; module++)
        ck_assert_int_eq(ask("/bin/true", module, &vaddr, 1), RC_OK);
    ck_assert_uint_eq(symbols, 1001);
    ck_assert_int_eq(worker_pid(worker), pid);
    ck_assert_uint_eq(open_descriptors("/proc/self/fd"), before);
    ck_assert_uint_eq(open_descriptors(theirs), before_there);
}
END_TEST

// --- without means

static void serve_in_little_memory(int channel)
{
    const struct rlimit little = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_AS, &little); // less than there is: all that asks for more fails
    worker_serve(channel);
}

START_TEST(test_short_of_memory)
{
    uint64_t vaddr = address_of_ask();
    worker_set_service(worker, serve_in_little_memory);
    enum rc rc = ask("/proc/self/exe", 0, &vaddr, 1);
    ck_assert(rc == RC_FAIL || rc == RC_OK); // it could not be mapped, or the process ended
    ck_assert_uint_eq(texts, 0);
    worker_free(worker);
    setup();
    ck_assert_int_eq(ask("/proc/self/exe", 0, &vaddr, 1), RC_OK);
    ck_assert_uint_gt(texts, 0);
}
END_TEST

START_TEST(test_no_process_to_be_had)
{
    uint64_t vaddr = 4096;
    struct rlimit before_limit, none;
    SKIP_IF(geteuid() == 0 && (setgroups(0, NULL) != 0 || setresuid(65534, 65534, 65534) != 0),
            "root may not become another user here");
    size_t before = open_descriptors("/proc/self/fd");
    getrlimit(RLIMIT_NPROC, &before_limit);
    none = (struct rlimit){0, before_limit.rlim_max};
    setrlimit(RLIMIT_NPROC, &none);
    ck_assert_int_eq(ask("/bin/true", 0, &vaddr, 1), RC_LIMIT);
    ck_assert_int_eq(worker_pid(worker), 0);
    ck_assert_uint_eq(open_descriptors("/proc/self/fd"), before);
    setrlimit(RLIMIT_NPROC, &before_limit);
    prctl(PR_SET_DUMPABLE, 1); // both are for a leak checker, which starts a tracer at the end
}
END_TEST

Suite *suite_worker(void)
{
    Suite *suite = suite_create("worker");
    TCase *cases = tcase_create("worker");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_answers);
    tcase_add_test(cases, test_dies_first);
    tcase_add_test(cases, test_no_file);
    tcase_add_test(cases, test_not_elf);
    tcase_add_test(cases, test_killed);
    tcase_add_test(cases, test_hanging);
    tcase_add_test(cases, test_truncated_while_open);
    tcase_add_test(cases, test_hostile);
    tcase_add_test(cases, test_many_modules);
    tcase_add_test(cases, test_short_of_memory);
    tcase_add_test(cases, test_no_process_to_be_had);
    suite_add_tcase(suite, cases);
    return suite;
}
