// SPDX-License-Identifier: MIT
#include "serve/metrics.h"

#include <check.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/exposition.h"
#include "serve/history.h"
#include "serve/metrics_json.h"
#include "serve/metrics_pss.h"
#include "serve/metrics_threads.h"

#define ENOUGH (10ll * NS_PER_S)

static const struct metrics_wish wish = {.pss_interval = 300ll * NS_PER_S,
                                         .threads_budget = ENOUGH};

static pid_t start(void (*run)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run();
        _exit(0);
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void burn(void)
{
    for (volatile unsigned i = 0;; i++)
        continue;
}

static void *sleeper(void *unused)
{
    (void)unused;
    pause();
    return NULL;
}

#define SLEEPERS 40

static void sleep_with_many(void)
{
    pthread_t thread;
    for (int i = 0; i < SLEEPERS; i++)
        pthread_create(&thread, NULL, sleeper, NULL);
    pause();
}

static uint64_t total_cpu(const struct metrics *metrics)
{
    return metrics->values[METRIC_CPU_USER] + metrics->values[METRIC_CPU_SYSTEM];
}

START_TEST(a_process_that_computes)
{
    struct metrics first, second;
    pid_t pid = start(burn);
    struct metrics_reader *reader = metrics_reader_new(pid);
    ck_assert_int_eq(metrics_read(reader, &wish, &first), RC_OK);
    do { // ticks are 10 ms
        usleep(20000);
        ck_assert_int_eq(metrics_read(reader, &wish, &second), RC_OK);
    } while (total_cpu(&second) < total_cpu(&first) + 50 * NS_PER_MS);
    ck_assert_int_eq(second.values[METRIC_THREADS], 1);
    ck_assert_int_eq(second.values[METRIC_RUNNING], 1);
    ck_assert_int_eq(second.values[METRIC_SLEEPING], 0);
    ck_assert_uint_gt(second.values[METRIC_RSS], 0);
    ck_assert_uint_le(first.values[METRIC_PSS], first.values[METRIC_RSS]);
    ck_assert_uint_ge(second.values[METRIC_VIRTUAL], second.values[METRIC_RSS]);
    ck_assert_uint_gt(second.values[METRIC_MINOR_FAULTS], 0);
    ck_assert_uint_ne(second.values[METRIC_RUN_QUEUE], METRIC_UNKNOWN);
    ck_assert_double_gt(history_rate(&first, &second, METRIC_CPU_USER), 0);
    end(pid);
    ck_assert_int_eq(metrics_read(reader, &wish, &second), RC_GONE);
    metrics_reader_free(reader);
}
END_TEST

START_TEST(a_process_that_is_not_there)
{
    struct metrics metrics;
    pid_t pid = start(burn);
    end(pid);
    struct metrics_reader *reader = metrics_reader_new(pid);
    ck_assert_int_eq(metrics_read(reader, &wish, &metrics), RC_GONE);
    metrics_reader_free(reader);
}
END_TEST

// While threads are started, those that the process says it has are fewer than those that are found
// right after that.
static void wait_for_sleepers(struct metrics_reader *reader, struct metrics *metrics)
{
    do {
        usleep(2000);
        ck_assert_int_eq(metrics_read(reader, &wish, metrics), RC_OK);
    } while (metrics->values[METRIC_SLEEPING] != SLEEPERS + 1 ||
             metrics->values[METRIC_THREADS] != SLEEPERS + 1);
}

START_TEST(threads_by_state_and_switches)
{
    struct metrics metrics;
    pid_t pid = start(sleep_with_many);
    struct metrics_reader *reader = metrics_reader_new(pid);
    wait_for_sleepers(reader, &metrics);
    ck_assert_uint_ge(metrics.values[METRIC_VOLUNTARY], SLEEPERS + 1);
    kill(pid, SIGSTOP);
    do {
        usleep(2000);
        ck_assert_int_eq(metrics_read(reader, &wish, &metrics), RC_OK);
    } while (metrics.values[METRIC_STOPPED] != SLEEPERS + 1);
    ck_assert_uint_eq(metrics.values[METRIC_SLEEPING], 0);
    kill(pid, SIGCONT);
    wait_for_sleepers(reader, &metrics);
    end(pid);
    metrics_reader_free(reader);
}
END_TEST

START_TEST(threads_that_do_not_fit_are_read_later)
{
    struct metrics metrics;
    pid_t pid = start(sleep_with_many);
    struct metrics_reader *full = metrics_reader_new(pid);
    wait_for_sleepers(full, &metrics);
    struct metrics_threads threads = {.pid = pid};
    size_t rounds = 0, read = 0;
    while (!metrics_threads_at_rest(&threads, SLEEPERS + 1)) {
        read += metrics_threads_read(&threads, SLEEPERS + 1, 0);
        ck_assert_uint_lt(rounds++, 1000);
    }
    ck_assert_uint_ge(rounds, 2);
    ck_assert_uint_ge(read, SLEEPERS + 1);
    ck_assert_uint_eq(threads.sums[THREAD_SLEEPING], SLEEPERS + 1);
    metrics_threads_fini(&threads);
    metrics_reader_free(full);
    end(pid);
}
END_TEST

static void nap(void)
{
    for (;;)
        usleep(1000);
}

// Reads until the longest wait of a process that has one CPU with others is seen twice.
static struct queue_wait longest_of(struct metrics_reader *reader)
{
    struct queue_wait waits[LATENCY_BUCKETS], longest = {0};
    struct metrics metrics;
    for (int seen = 0; seen < 2;) {
        usleep(20000);
        ck_assert_int_eq(metrics_read(reader, &wish, &metrics), RC_OK);
        metrics_take_queue_waits(reader, waits);
        for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
            if (!waits[i].tid)
                continue;
            struct latency one = {0};
            ck_assert_uint_eq(latency_add(&one, 1, waits[i].mean), i);
            ck_assert_int_ge(waits[i].wall, metrics.wall);
            longest = waits[i];
            seen++;
        }
        metrics_take_queue_waits(reader, waits);
        for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
            ck_assert_int_eq(waits[i].tid, 0); // they were taken
    }
    return longest;
}

START_TEST(who_waits_for_a_cpu_was_preempted_or_woken)
{
    cpu_set_t before, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    pid_t pids[] = {start(burn), start(burn), start(nap)};
    ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
    for (size_t i = 1; i < ARRAY_LENGTH(pids); i++) {
        struct metrics_reader *reader = metrics_reader_new(pids[i]);
        struct queue_wait wait = longest_of(reader);
        ck_assert_int_eq(wait.tid, pids[i]);
        ck_assert_int_eq(wait.woken, i == 2);
        ck_assert_uint_ge(wait.sum, wait.mean);
        metrics_reader_free(reader);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(pids); i++)
        end(pids[i]);
}
END_TEST

START_TEST(descriptors_are_counted)
{
    struct metrics before, after;
    struct metrics_reader *reader = metrics_reader_new(getpid());
    for (int i = 0; i < 3; i++) // it opens files the first times
        ck_assert_int_eq(metrics_read(reader, &wish, &before), RC_OK);
    AUTO_FD int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(metrics_read(reader, &wish, &after), RC_OK);
    ck_assert_uint_eq(after.values[METRIC_DESCRIPTORS], before.values[METRIC_DESCRIPTORS] + 1);
    ck_assert_uint_ge(after.values[METRIC_DESCRIPTORS_MOST], after.values[METRIC_DESCRIPTORS]);
    metrics_reader_free(reader);
}
END_TEST

START_TEST(pss_is_read_seldom)
{
    struct metrics first, second;
    const struct metrics_wish never = {.threads_budget = ENOUGH};
    struct metrics_reader *reader = metrics_reader_new(getpid());
    ck_assert_int_eq(metrics_read(reader, &wish, &first), RC_OK);
    ck_assert_uint_ne(first.values[METRIC_PSS], METRIC_UNKNOWN);
    size_t size = 8u << 20;
    char *memory = xmalloc(size);
    memset(memory, 1, size);
    ck_assert_int_eq(metrics_read(reader, &wish, &second), RC_OK);
    ck_assert_uint_ge(second.values[METRIC_RSS], first.values[METRIC_RSS] + size / 2);
    ck_assert_int_eq(metrics_read(reader, &never, &second), RC_OK);
    ck_assert_uint_eq(second.values[METRIC_PSS], METRIC_UNKNOWN);
    free(memory);
    metrics_reader_free(reader);
}
END_TEST

static uint64_t pss_at(struct metrics_pss *pss, int64_t seconds, uint64_t rss)
{
    struct metrics metrics = {.at = seconds * (int64_t)NS_PER_S};
    metrics.values[METRIC_RSS] = rss << 20;
    return metrics_pss(pss, getpid(), 300ll * NS_PER_S, &metrics);
}

START_TEST(pss_of_another_size_is_forgotten)
{
    struct metrics_pss pss = {0}, large = {0};
    uint64_t first = pss_at(&pss, 1, 200);
    ck_assert_uint_ne(first, METRIC_UNKNOWN);
    pss.bytes = first - 1; // as it was then
    ck_assert_uint_eq(pss_at(&pss, 3, 180), first - 1);
    ck_assert_uint_eq(pss_at(&pss, 5, 224), first - 1);
    ck_assert_uint_eq(pss_at(&pss, 7, 230), METRIC_UNKNOWN);
    ck_assert_uint_eq(pss_at(&pss, 9, 200), METRIC_UNKNOWN);
    ck_assert_uint_ne(pss_at(&pss, 1000, 230), METRIC_UNKNOWN);
    ck_assert_uint_ne(pss_at(&large, 1, 500), METRIC_UNKNOWN);
    ck_assert_uint_eq(pss_at(&large, 3, 512), METRIC_UNKNOWN);
}
END_TEST

// --- history ---

START_TEST(a_day_takes_no_more_than_its_last_readings)
{
    struct metrics metrics = {0};
    struct history *history = history_new(1000);
    for (size_t i = 0; i < 1000; i++)
        history_add(history, &metrics);
    size_t before = mallinfo2().uordblks;
    for (int64_t at = 0; at < 24 * 3600ll * NS_PER_S; at += 2ll * NS_PER_S) {
        metrics.at = at;
        metrics.values[METRIC_CPU_USER] = (uint64_t)at / 2;
        history_add(history, &metrics);
    }
    ck_assert_uint_eq(mallinfo2().uordblks, before);
    ck_assert_uint_eq(history_count(history), 1000);
    ck_assert_int_eq(history_get(history, 0)->at, (24 * 3600ll - 2) * NS_PER_S);
    ck_assert_int_eq(history_get(history, 999)->at, (24 * 3600ll - 2000) * NS_PER_S);
    ck_assert_double_eq_tol(history_rate(history_get(history, 999), history_get(history, 0),
                                         METRIC_CPU_USER), 5e8, 1);
    history_free(history);
}
END_TEST

START_TEST(a_program_that_is_started_again)
{
    pid_t first = start(burn);
    struct history *history = history_new(10);
    ck_assert_ptr_null(history_run_queue(history));
    ck_assert_int_eq(history_read(history, first, &wish), RC_OK);
    end(first);
    ck_assert_int_eq(history_read(history, first, &wish), RC_GONE);
    pid_t second = start(burn);
    ck_assert_int_eq(history_read(history, second, &wish), RC_OK);
    ck_assert_uint_eq(history_count(history), 2);
    ck_assert_ptr_null(history_before(history, 0)); // counters of the first one are not its own
    ck_assert_ptr_nonnull(history_run_queue(history));
    ck_assert_int_eq(history_read(history, second, &wish), RC_OK);
    ck_assert_ptr_eq(history_before(history, 0), history_get(history, 1));
    ck_assert_ptr_null(history_before(history, 2));
    end(second);
    history_free(history);
}
END_TEST

static struct metrics made(int64_t at, uint64_t cpu)
{
    struct metrics metrics = {.at = at, .wall = at};
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics.values[i] = METRIC_UNKNOWN;
    metrics.values[METRIC_CPU_USER] = cpu;
    metrics.values[METRIC_THREADS] = 3;
    return metrics;
}

START_TEST(json_of_a_reading)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct metrics first = made(NS_PER_S, 0), second = made(3ll * NS_PER_S, 500 * NS_PER_MS);
    api_begin(&api, &text);
    metrics_json(&api, &second, &first);
    api_end(&api);
    ck_assert_ptr_nonnull(strstr(text.data, "\"timestamp\":\"1970-01-01T00:00:03.000Z\""));
    ck_assert_ptr_nonnull(strstr(text.data, "\"cpu_percent\":{\"user\":25.00,\"system\":null}"));
    ck_assert_ptr_nonnull(strstr(text.data, "\"total\":3,\"running\":null"));
    buf_clear(&text);
    api_begin(&api, &text);
    metrics_json(&api, &first, NULL);
    api_end(&api);
    ck_assert_ptr_nonnull(strstr(text.data, "\"cpu_percent\":{\"user\":null,\"system\":null}"));
    ck_assert_ptr_nonnull(strstr(text.data, "\"cpu_percent.user\":\"it takes two readings"));
}
END_TEST

// --- delays, and the text of Prometheus ---

START_TEST(waits_count_at_their_mean)
{
    struct latency latency = {0}, other = {0};
    ck_assert_uint_eq(latency_add(&latency, 4, 4 * 10 * NS_PER_US), 0);
    ck_assert_uint_eq(latency_add(&latency, 1, 10 * NS_PER_US + 1), 1);
    ck_assert_uint_eq(latency_add(&latency, 2, 100ll * NS_PER_S), LATENCY_BUCKETS - 1);
    ck_assert_uint_eq(latency.counts[0], 4);
    ck_assert_uint_eq(latency.count, 7);
    latency_merge(&other, &latency);
    latency_merge(&other, &latency);
    ck_assert_uint_eq(other.count, 14);
    ck_assert_uint_eq(other.sum, 2 * latency.sum);
    for (unsigned i = 1; i < LATENCY_BUCKETS - 1; i++)
        ck_assert_int_gt(latency_bounds[i], latency_bounds[i - 1]);
}
END_TEST

START_TEST(two_formats)
{
    for (int open = 0; open < 2; open++) {
        AUTO_BUF struct buf text = {0};
        struct exposition exposition = {.out = &text, .open = open};
        struct exposition_labels labels = {""}, none = {""};
        exposition_label(&labels, "comm", "a\"b\\c\nd\xff\xc3\xa9");
        exposition_family(&exposition, "x_cpu", EXPOSITION_COUNTER, "seconds", "Time");
        exposition_seconds(&exposition, &labels, "mode=\"user\"", 1500 * (uint64_t)NS_PER_MS);
        exposition_family(&exposition, "x", EXPOSITION_INFO, "", "What");
        exposition_number(&exposition, &none, "", 1);
        exposition_end(&exposition);
        ck_assert_str_eq(text.data,
                         open ? "# HELP x_cpu_seconds Time.\n# TYPE x_cpu_seconds counter\n"
                                "# UNIT x_cpu_seconds seconds\n"
                                "x_cpu_seconds_total{comm=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9\","
                                "mode=\"user\"} 1.500000000\n"
                                "# HELP x What.\n# TYPE x info\nx_info 1\n# EOF\n"
                              : "# HELP x_cpu_seconds_total Time.\n"
                                "# TYPE x_cpu_seconds_total counter\n"
                                "x_cpu_seconds_total{comm=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9\","
                                "mode=\"user\"} 1.500000000\n"
                                "# HELP x_info What.\n# TYPE x_info gauge\nx_info 1\n");
    }
}
END_TEST

START_TEST(buckets_add_up_and_have_exemplars)
{
    AUTO_BUF struct buf text = {0};
    struct exposition exposition = {.out = &text, .open = true};
    const struct exposition_labels none = {""};
    struct exposition_exemplar exemplars[LATENCY_BUCKETS] = {
        [0] = {"hot\"one", 5 * NS_PER_US, 1500ll * NS_PER_MS}};
    struct latency latency = {0};
    exemplars[3] = exemplars[0]; // of a bucket that is empty
    latency_add(&latency, 2, 10 * NS_PER_US);
    latency_add(&latency, 1, 3ll * NS_PER_S);
    exposition_family(&exposition, "x", EXPOSITION_HISTOGRAM, "seconds", "Waits");
    exposition_histogram(&exposition, &none, &latency, exemplars);
    ck_assert_ptr_nonnull(strstr(text.data, "x_seconds_bucket{le=\"1e-05\"} 2 # {function="
                                            "\"hot\\\"one\"} 0.000005000 1.500\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "x_seconds_bucket{le=\"0.0001\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "x_seconds_bucket{le=\"2.0\"} 2\n"
                                            "x_seconds_bucket{le=\"5.0\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "x_seconds_bucket{le=\"+Inf\"} 3\n"
                                            "x_seconds_sum 3.000010000\nx_seconds_count 3\n"));
}
END_TEST

START_TEST(a_label_that_is_too_long_is_left_out)
{
    char value[2000];
    struct exposition_labels labels = {""};
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    exposition_label(&labels, "a", "1");
    exposition_label(&labels, "b", value);
    exposition_label(&labels, "c", "3");
    ck_assert_str_eq(labels.text, "a=\"1\",c=\"3\"");
}
END_TEST

Suite *suite_metrics(void);
Suite *suite_metrics(void)
{
    const TTest *const tests[] = {
        a_process_that_computes, a_process_that_is_not_there, threads_by_state_and_switches,
        threads_that_do_not_fit_are_read_later, who_waits_for_a_cpu_was_preempted_or_woken,
        descriptors_are_counted, pss_is_read_seldom,
        pss_of_another_size_is_forgotten,
        a_day_takes_no_more_than_its_last_readings, a_program_that_is_started_again,
        json_of_a_reading, waits_count_at_their_mean, two_formats,
        buckets_add_up_and_have_exemplars, a_label_that_is_too_long_is_left_out,
    };
    Suite *suite = suite_create("metrics");
    TCase *one = tcase_create("metrics");
    for (size_t i = 0; i < ARRAY_LENGTH(tests); i++)
        tcase_add_test(one, tests[i]);
    suite_add_tcase(suite, one);
    return suite;
}
