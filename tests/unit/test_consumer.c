// SPDX-License-Identifier: MIT
// Records as a sampler writes them, also those that it cannot: what told of them found no room.
#include "collect/consumer.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample/record.h"
#include "sample/sampler.h"

static struct control *control;
static struct modules *modules;
static struct profile *profile;
static struct consumer *consumer;

static void set_up(void)
{
    control = control_new(1 << 20, NULL);
    ck_assert_ptr_nonnull(control);
    modules = modules_new();
    profile = profile_new(10000);
    consumer = consumer_new(control, modules, profile, 100);
}

static void tear_down(void)
{
    consumer_free(consumer);
    profile_free(profile);
    modules_free(modules);
    control_free(control);
}

// Fills in the header and puts it into the ring.
static void tell(uint32_t kind, const void *record, size_t length)
{
    struct record *to = ring_reserve(&control->ring, length);
    ck_assert_ptr_nonnull(to);
    memcpy(to + 1, (const struct record *)record + 1, length - sizeof *to);
    ring_commit(to, kind);
}

static void tell_process(uint32_t kind, uint32_t process, const char *comm)
{
    struct record_process record = {.process = process, .pid = getpid()};
    strncpy(record.comm, comm, COMM_MAX - 1);
    tell(kind, &record, sizeof record);
}

static void tell_thread(uint32_t thread, uint32_t process)
{
    const struct record_thread record = {
        .thread = thread, .process = process, .tid = getpid(), .comm = "worker"};
    tell(RECORD_THREAD, &record, sizeof record);
}

static void tell_thread_time(uint32_t kind, uint32_t thread, uint64_t cpu_ns)
{
    const struct record_thread_time record = {.thread = thread, .cpu_ns = cpu_ns};
    tell(kind, &record, sizeof record);
}

static void tell_family_time(uint32_t process, uint64_t cpu_ns, uint64_t threads_cpu_ns,
                             uint64_t children_ns)
{
    static int64_t time;
    const struct record_process_time record = {.process = process,
                                               .time = time += NS_PER_S,
                                               .cpu_ns = cpu_ns,
                                               .threads_cpu_ns = threads_cpu_ns,
                                               .children_ns = children_ns};
    tell(RECORD_PROCESS_TIME, &record, sizeof record);
}

static void tell_process_time(uint32_t process, uint64_t cpu_ns, uint64_t threads_cpu_ns)
{
    tell_family_time(process, cpu_ns, threads_cpu_ns, 0);
}

// A thread in a function of this process, without a stack.
static void tell_held_capture(uint32_t thread, uint32_t held_ns)
{
    struct record_capture record = {
        .capture = {.time = clock_now(), .thread = thread, .held_ns = held_ns}};
    record.capture.regs = registers_at((uint64_t)(uintptr_t)tell_held_capture, 4096);
    tell(RECORD_CAPTURE, &record, sizeof record);
}

static void tell_capture(uint32_t thread)
{
    tell_held_capture(thread, 0);
}

static uint64_t cpu_of_all(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < profile_value_count(profile); i++)
        sum += profile_value_get(profile, i)->ns;
    return sum;
}

START_TEST(a_sample_and_its_time)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    tell_capture(7);
    tell_thread_time(RECORD_THREAD_TIME, 7, 1000);
    tell_process_time(0, 1000, 1000);
    tell_process(RECORD_PROCESS_END, 0, "");
    consumer_drain(consumer);
    consumer_finish(consumer);
    struct consumer_counts counts = consumer_counts(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_SAMPLES]), 1);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_CPU_NS]), 1000);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 0);
    ck_assert_uint_eq(counts.processes, 1);
    ck_assert_uint_eq(cpu_of_all(), 1000);
    const struct run_process *facts = consumer_processes(consumer);
    ck_assert_int_eq(facts->pid, getpid());
    ck_assert(facts->ended);
    const struct profile_thread *thread = profile_thread_get(profile, 0);
    ck_assert_str_eq(profile_string(profile, thread->comm), "worker");
}
END_TEST

struct second { // what there was when it ended
    int64_t ended;
    uint64_t samples, cpu_ns;
};

static void note_second(void *context, int64_t ended)
{
    struct second *second = context;
    ck_assert_int_gt(ended, second->ended);
    *second = (struct second){ended, profile_value_get(profile, 0)->samples, cpu_of_all()};
}

// Samples of the next second may already be in the ring when one is taken in.
START_TEST(a_second_has_its_samples_and_their_time)
{
    struct second second = {0};
    consumer_follow(consumer, note_second, &second);
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    for (unsigned i = 1; i <= 3; i++) {
        const struct record_second record = {.time = i * NS_PER_S};
        tell_capture(7);
        tell_capture(7);
        tell_thread_time(RECORD_THREAD_TIME, 7, 100);
        tell(RECORD_SECOND, &record, sizeof record);
        tell_capture(7);
        consumer_drain(consumer);
        ck_assert_int_eq(second.ended, record.time);
        ck_assert_uint_eq(second.samples, 3 * i - 1);
        ck_assert_uint_eq(second.cpu_ns, 100 * i);
    }
}
END_TEST

// Threads that live for less than a period: the last of their time comes with their end.
START_TEST(short_lived_threads_stand_for_the_others)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    tell_capture(7);
    tell_thread_time(RECORD_THREAD_END, 7, NS_PER_S);
    tell_process_time(0, 9ull * NS_PER_S, NS_PER_S); // the rest by threads that were never met
    consumer_drain(consumer);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 0);
    ck_assert_uint_eq(cpu_of_all(), 9ull * NS_PER_S);
}
END_TEST

START_TEST(what_no_sample_could_take)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_process_time(0, NS_PER_S, 0);
    consumer_drain(consumer);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), NS_PER_S);
    ck_assert_uint_eq(profile_value_count(profile), 1);
    ck_assert_uint_eq(profile_value_get(profile, 0)->samples, 0);
    ck_assert_uint_eq(cpu_of_all(), NS_PER_S);
}
END_TEST

static uint64_t cpu_of_program(const char *comm)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        const struct profile_thread *thread = profile_thread_get(profile, value->thread);
        if (strcmp(profile_string(profile, thread->process_comm), comm) == 0)
            sum += value->ns;
    }
    return sum;
}

// What a sampler takes for the children's may turn out to be of one that it had met.
START_TEST(children_that_were_never_met)
{
    tell_process(RECORD_PROCESS, 0, "make");
    tell_family_time(0, NS_PER_S, 0, 9ull * NS_PER_S);
    tell_family_time(0, 2ull * NS_PER_S, 0, 5ull * NS_PER_S);
    consumer_drain(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_CPU_NS]), 7ull * NS_PER_S);
    tell_process(RECORD_PROCESS, 1, "make"); // another sampler
    tell_family_time(1, 0, 0, NS_PER_S);
    consumer_drain(consumer);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_CPU_NS]), 8ull * NS_PER_S);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 8ull * NS_PER_S);
    ck_assert_uint_eq(cpu_of_program("make"), 2ull * NS_PER_S);
    ck_assert_uint_eq(cpu_of_program("[children of make]"), 6ull * NS_PER_S);
}
END_TEST

// The sampler dies between two reports: the next one numbers anew, and tells of the CPU time since
// the last report. The samples of the first one share what was used before the second came.
// A child of this process that began meanwhile, was sampled so often and has ended.
static void tell_child(uint32_t number, unsigned samples, uint64_t cpu_ns)
{
    struct record_process record = {
        .process = number, .pid = getppid(), .parent = getpid(), .comm = "cc"};
    tell(RECORD_PROCESS, &record, sizeof record);
    tell_thread(number, number);
    for (unsigned i = 0; i < samples; i++)
        tell_capture(number);
    tell_thread_time(RECORD_THREAD_END, number, cpu_ns);
    tell_process_time(number, cpu_ns, cpu_ns);
    tell(RECORD_PROCESS_END, &record, sizeof record);
}

START_TEST(a_child_that_was_sampled_once_stands_for_the_others)
{
    tell_process(RECORD_PROCESS, 0, "make");
    tell_child(1, 0, 3000);
    tell_child(2, 1, 2000);
    tell_family_time(0, 0, 0, 9000); // they may not be missing, but still to be seen
    tell_family_time(0, 0, 0, 7000);
    tell_child(3, 2, 500);
    tell_child(4, 1, 100);
    tell_family_time(0, 0, 0, 8000);
    consumer_drain(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_POOLED_NS]), 10000);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_POOLED_NS]), 11000);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 0);
    ck_assert_uint_eq(cpu_of_program("cc"), 3000 + 2000 + 500 + 100 + 8000);
    ck_assert_uint_eq(cpu_of_all(), 3000 + 2000 + 500 + 100 + 8000);
}
END_TEST

START_TEST(a_sampler_takes_over)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    tell_capture(7);
    tell_thread_time(RECORD_THREAD_TIME, 7, 1000);
    tell_process_time(0, 1000, 1000);
    tell_capture(7);
    tell_process(RECORD_PROCESS, 1, "server");
    tell_thread(8, 1);
    tell_capture(8);
    tell_thread_time(RECORD_THREAD_TIME, 8, 500);
    tell_process_time(1, 800, 500);
    consumer_drain(consumer);
    consumer_finish(consumer);
    struct consumer_counts counts = consumer_counts(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_SAMPLES]), 3);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_THREADS_SAMPLED]), 1);
    ck_assert_uint_eq(counts.processes, 1);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_CPU_NS]), 1800);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 0);
    ck_assert_uint_eq(profile_thread_count(profile), 1);
    ck_assert_uint_eq(cpu_of_all(), 1800);
}
END_TEST

// A hold that came with a capture is in the next report too, whatever the thread is called then.
START_TEST(a_renamed_thread_was_held_once)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    tell_held_capture(7, 5000);
    tell_thread(7, 0);
    const struct record_thread_time record = {.thread = 7, .held_ns = 6000};
    tell(RECORD_THREAD_TIME, &record, sizeof record);
    consumer_drain(consumer);
    int64_t worst, sum;
    consumer_held(consumer, &worst, &sum);
    ck_assert_int_eq(sum, 6000);
}
END_TEST

// The next sampler does not meet it again: it ends with its process.
START_TEST(a_thread_that_no_sampler_meets_again)
{
    tell_process(RECORD_PROCESS, 0, "server");
    tell_thread(7, 0);
    tell_capture(7);
    tell_process(RECORD_PROCESS, 1, "server");
    tell_process_time(1, 300, 0);
    tell_process(RECORD_PROCESS_END, 1, "");
    tell_process(RECORD_PROCESS, 2, "server"); // another one, with the same pid
    tell_thread(8, 2);
    tell_capture(8);
    tell_thread_time(RECORD_THREAD_END, 8, 40);
    tell_process_time(2, 40, 40);
    consumer_drain(consumer);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_UNATTRIBUTED_NS]), 0);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_THREADS_SAMPLED]), 2);
    ck_assert_uint_eq(consumer_counts(consumer).processes, 2);
    ck_assert_uint_eq(cpu_of_all(), 340);
}
END_TEST

START_TEST(nobody_told_of_the_process)
{
    tell_thread(7, 3);
    tell_capture(7);
    tell_thread_time(RECORD_THREAD_TIME, 7, 100);
    tell_thread_time(RECORD_THREAD_END, 8, 100);
    tell_process_time(3, NS_PER_S, 100);
    consumer_drain(consumer);
    consumer_finish(consumer);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_SAMPLES]), 0);
    ck_assert_uint_eq(consumer_counts(consumer).processes, 0);
}
END_TEST

START_TEST(unknown_kinds_are_passed_over)
{
    const struct record_process record = {0};
    tell(1000, &record, sizeof record);
    tell_process(RECORD_PROCESS, 0, "server");
    consumer_drain(consumer);
    ck_assert_uint_eq(consumer_counts(consumer).processes, 1);
    ck_assert_ptr_null(ring_peek(&control->ring));
}
END_TEST

START_TEST(threads_that_come_and_go_leave_little)
{
    const struct compact_bounds bounds = {.nodes = SIZE_MAX, .ended = 256, .values = 1000};
    bool renumbered = false;
    tell_process(RECORD_PROCESS, 0, "server");
    for (uint32_t thread = 1; thread <= 5000; thread++) {
        tell_thread(thread, 0);
        tell_thread_time(RECORD_THREAD_END, thread, 100);
        consumer_drain(consumer);
        renumbered |= consumer_bound(consumer, &bounds);
        ck_assert_uint_le(profile_thread_count(profile), 256);
    }
    ck_assert(renumbered);
    ck_assert_uint_eq(consumer_counts(consumer).threads_cpu_ns, 500000);
}
END_TEST

START_TEST(so_do_processes)
{
    for (uint32_t process = 0; process < 6000; process++) {
        tell_process(RECORD_PROCESS, process, process ? "other" : "first");
        tell_thread(process, process);
        tell_thread_time(RECORD_THREAD_END, process, 100);
        tell_process(RECORD_PROCESS_END, process, "");
        consumer_drain(consumer);
    }
    struct consumer_counts counts = consumer_counts(consumer);
    ck_assert_uint_le(counts.processes, 5000);
    ck_assert_uint_eq(counts.threads_cpu_ns, 600000);
    ck_assert_str_eq(consumer_processes(consumer)[0].comm, "first");
}
END_TEST

Suite *suite_consumer(void);

Suite *suite_consumer(void)
{
    TCase *tests = tcase_create("consumer");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_sample_and_its_time);
    tcase_add_test(tests, a_second_has_its_samples_and_their_time);
    tcase_add_test(tests, short_lived_threads_stand_for_the_others);
    tcase_add_test(tests, what_no_sample_could_take);
    tcase_add_test(tests, children_that_were_never_met);
    tcase_add_test(tests, a_child_that_was_sampled_once_stands_for_the_others);
    tcase_add_test(tests, a_sampler_takes_over);
    tcase_add_test(tests, a_renamed_thread_was_held_once);
    tcase_add_test(tests, a_thread_that_no_sampler_meets_again);
    tcase_add_test(tests, nobody_told_of_the_process);
    tcase_add_test(tests, unknown_kinds_are_passed_over);
    tcase_add_test(tests, threads_that_come_and_go_leave_little);
    tcase_add_test(tests, so_do_processes);
    Suite *suite = suite_create("consumer");
    suite_add_tcase(suite, tests);
    return suite;
}
