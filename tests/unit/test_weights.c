// SPDX-License-Identifier: MIT
#include "collect/weights.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"

#define PROCESSES 8
#define THREADS 32
#define PROCESS 1

static struct profile *profile;
static struct process_weights processes[PROCESSES];
static struct thread_weights threads[THREADS];
static uint32_t owners[THREADS]; // their processes, if not PROCESS

static void set_up(void)
{
    profile = profile_new(100000);
    profile_thread_add(profile, 1, 1, "t", "p");
    for (uint32_t i = 0; i < THREADS; i++)
        owners[i] = PROCESS;
}

static void tear_down(void)
{
    for (uint32_t i = 0; i < THREADS; i++)
        weights_thread_fini(&threads[i]);
    for (uint32_t i = 0; i < PROCESSES; i++)
        weights_process_end(&processes[i]);
    profile_free(profile);
}

// The value with that number, made with all those below it.
static uint32_t value(uint32_t number)
{
    while (profile_value_count(profile) <= number) {
        uint32_t location = profile_location(profile, 0, profile_value_count(profile));
        profile_value_at(profile, profile_stack(profile, &location, 1), 0, STATE_CPU);
    }
    return number;
}

static void sample(uint32_t thread, uint32_t number)
{
    weights_sample(&threads[thread], profile, value(number), 1);
}

static void thread_time(uint32_t thread, uint64_t cpu_ns)
{
    weights_thread_time(&threads[thread], profile, cpu_ns);
}

static void thread_end(uint32_t thread, uint64_t cpu_ns)
{
    weights_thread_end(&threads[thread], profile, &processes[owners[thread]], cpu_ns);
}

static void process_time(uint32_t process, uint64_t cpu_ns, uint64_t threads_cpu_ns)
{
    weights_process_time(&processes[process], profile, cpu_ns, threads_cpu_ns);
}

static uint64_t cpu(uint32_t number)
{
    return profile_value_get(profile, number)->ns;
}

static uint64_t cpu_of_all(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < profile_value_count(profile); i++)
        sum += profile_value_get(profile, i)->ns;
    return sum;
}

// What no sample took, of the processes that have not ended.
static uint64_t finish(void)
{
    uint64_t open = 0;
    for (uint32_t thread = 0; thread < THREADS; thread++)
        thread_end(thread, 0);
    for (uint32_t process = 0; process < PROCESSES; process++)
        open += weights_process_end(&processes[process]);
    return open;
}

START_TEST(a_period_is_shared_by_its_samples)
{
    sample(1, 0);
    sample(1, 1);
    sample(1, 0);
    ck_assert_uint_eq(profile_value_get(profile, 0)->samples, 2); // at once
    ck_assert_uint_eq(cpu(0), 0);                                 // its time later
    thread_time(1, 300);
    ck_assert_uint_eq(cpu(0), 200);
    ck_assert_uint_eq(cpu(1), 100);
    sample(1, 1);
    thread_time(1, 50);
    ck_assert_uint_eq(cpu(0), 200);
    ck_assert_uint_eq(cpu(1), 150);
    process_time(PROCESS, 350, 350);
    ck_assert_uint_eq(finish(), 0);
    ck_assert_uint_eq(cpu_of_all(), 350);
}
END_TEST

START_TEST(what_does_not_divide_is_not_lost)
{
    for (uint32_t i = 0; i < 7; i++)
        sample(1, i);
    thread_time(1, 100);
    ck_assert_uint_eq(cpu_of_all(), 100);
    for (uint32_t i = 0; i < 7; i++)
        ck_assert(cpu(i) == 14 || cpu(i) == 15);
    sample(1, 0);
    sample(1, 1);
    thread_time(1, 1);
    ck_assert_uint_eq(cpu_of_all(), 101);
}
END_TEST

START_TEST(time_without_a_sample_waits_for_the_next)
{
    thread_time(1, 70);
    thread_time(1, 20);
    sample(1, 0);
    ck_assert_uint_eq(cpu(0), 0);
    thread_time(1, 10);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(the_rest_of_a_thread_goes_to_its_last_samples)
{
    sample(1, 0);
    thread_time(1, 100);
    sample(1, 1);
    thread_time(1, 10);
    thread_time(1, 5); // no sample in this period
    thread_end(1, 0);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(cpu(1), 15);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

// The store may number its values anew, whatever they are waiting for.
START_TEST(values_have_other_numbers)
{
    sample(1, 0); // of a thread whose period is over
    thread_time(1, 10);
    sample(2, 1); // of one whose period is not
    sample(3, 2); // of one that has ended
    thread_end(3, 0);
    value(5);
    for (uint32_t thread = 1; thread <= 3; thread++)
        weights_thread_renumber(&threads[thread], (uint32_t[]){3, 4, 5});
    weights_process_renumber(&processes[PROCESS], (uint32_t[]){3, 4, 5});
    thread_end(1, 7);
    thread_time(2, 20);
    process_time(PROCESS, 100, 60);
    ck_assert_uint_eq(cpu(0), 10);
    ck_assert_uint_eq(cpu(3), 7);
    ck_assert_uint_eq(cpu(4), 20);
    ck_assert_uint_eq(cpu(5), 40);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(finish_ends_threads)
{
    sample(1, 0);
    thread_time(1, 100);
    thread_time(1, 30);
    sample(2, 1); // its time was never told
    ck_assert_uint_eq(finish(), 0);
    ck_assert_uint_eq(cpu(0), 130);
    ck_assert_uint_eq(cpu(1), 0);
}
END_TEST

START_TEST(never_sampled_is_unattributed)
{
    thread_end(1, 70);
    thread_time(2, 7);
    process_time(PROCESS, 100, 77);
    ck_assert_uint_eq(finish(), 100);
    ck_assert_uint_eq(cpu_of_all(), 0);
}
END_TEST

START_TEST(unmet_threads_are_stood_for_by_those_that_ended)
{
    sample(1, 0);
    thread_time(1, 100); // goes on
    sample(2, 1);
    sample(3, 2);
    thread_end(2, 10);
    thread_end(3, 12);
    process_time(PROCESS, 222, 122);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(cpu(1), 10 + 50);
    ck_assert_uint_eq(cpu(2), 12 + 50);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(ended_in_the_period_takes_the_unknown_once)
{
    sample(2, 0);
    thread_end(2, 0); // its sample and its end in one period
    process_time(PROCESS, 40, 0);
    ck_assert_uint_eq(cpu(0), 40);
    process_time(PROCESS, 100, 0); // nobody ended here
    ck_assert_uint_eq(cpu(0), 40);
    sample(3, 1);
    thread_end(3, 0);
    process_time(PROCESS, 105, 0);
    ck_assert_uint_eq(cpu(0), 40);
    ck_assert_uint_eq(cpu(1), 65);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(clocks_that_lag_lose_nothing)
{
    sample(1, 0);
    thread_time(1, 100);
    process_time(PROCESS, 90, 100); // the process's clock is behind
    process_time(PROCESS, 130, 100);
    ck_assert_uint_eq(finish(), 30);
    ck_assert_uint_eq(cpu_of_all(), 100);
}
END_TEST

START_TEST(processes_are_apart)
{
    owners[20] = 2;
    sample(10, 0);
    sample(20, 1);
    thread_end(10, 0);
    thread_end(20, 0);
    process_time(1, 50, 0);
    ck_assert_uint_eq(cpu(0), 50);
    ck_assert_uint_eq(cpu(1), 0);
    process_time(3, 7, 0);
    ck_assert_uint_eq(finish(), 7);
}
END_TEST

// --- whatever happens, the sums are the kernel's

struct model {
    uint64_t cpu[PROCESSES], threads_cpu[PROCESSES];
    uint64_t samples;
};

static void spend(struct model *model, uint32_t thread, uint64_t cpu_ns, bool last)
{
    (last ? thread_end : thread_time)(thread, cpu_ns); // another one comes in its place
    model->cpu[owners[thread]] += cpu_ns;
    model->threads_cpu[owners[thread]] += cpu_ns;
}

static void act(struct model *model)
{
    uint32_t thread = (uint32_t)random() % THREADS, process = owners[thread];
    switch (random() % 8) {
    case 0 ... 3:
        sample(thread, (uint32_t)random() % 50);
        model->samples++;
        break;
    case 4 ... 5:
        spend(model, thread, (uint64_t)random() % 5 * 333, false);
        break;
    case 6:
        spend(model, thread, (uint64_t)random() % 1000, true);
        break;
    case 7:
        model->cpu[process] += (uint64_t)random() % 100; // of a thread that was never met
        process_time(process, model->cpu[process], model->threads_cpu[process]);
        break;
    }
}

START_TEST(sums_are_exact)
{
    struct model model = {0};
    srandom((unsigned)_i);
    for (uint32_t i = 0; i < THREADS; i++)
        owners[i] = i % PROCESSES;
    for (unsigned i = 0; i < 5000; i++)
        act(&model);
    uint64_t all = 0, samples = 0;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        process_time(i, model.cpu[i], model.threads_cpu[i]);
        all += model.cpu[i];
    }
    uint64_t unattributed = finish();
    ck_assert_uint_eq(cpu_of_all() + unattributed, all);
    for (size_t i = 0; i < profile_value_count(profile); i++)
        samples += profile_value_get(profile, i)->samples;
    ck_assert_uint_eq(samples, model.samples);
}
END_TEST

START_TEST(a_process_that_ends_leaves_what_no_sample_took)
{
    process_time(1, 1000, 400);
    ck_assert_uint_eq(weights_process_end(&processes[1]), 600);
    ck_assert_uint_eq(weights_process_end(&processes[1]), 0); // it is told only once
    process_time(1, 70, 0);                                   // another one in its place
    ck_assert_uint_eq(finish(), 70);
}
END_TEST

START_TEST(a_thread_may_end_after_its_process)
{
    sample(1, 0);
    weights_thread_end(&threads[1], profile, NULL, 30);
    weights_thread_end(&threads[2], profile, NULL, 4);
    ck_assert_uint_eq(cpu(0), 30);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

// As when another sampler takes over. Times: before it 100 are open, after it 30.
START_TEST(a_process_goes_on_with_another_sampler)
{
    process_time(1, 500, 400);
    sample(7, 0);
    thread_end(7, 0);
    weights_process_take_over(&processes[1]);
    ck_assert(!weights_process_lacks_samples(&processes[1]));
    process_time(1, 80, 50);
    ck_assert_uint_eq(cpu(0), 130);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(what_is_open_then_goes_to_the_next_samples)
{
    sample(6, 0);
    thread_time(6, 1000);
    process_time(1, 1000, 1000);
    thread_end(6, 0); // its samples have been shared out
    weights_process_take_over(&processes[1]);
    process_time(1, 70, 0);
    ck_assert(weights_process_lacks_samples(&processes[1])); // none yet
    sample(7, 1);
    thread_time(7, 50);
    weights_process_borrow(&processes[1], &threads[7]);
    process_time(1, 130, 50);
    ck_assert_uint_eq(cpu(0), 1000);
    ck_assert_uint_eq(cpu(1), 130);
    ck_assert(!weights_process_lacks_samples(&processes[1]));
    process_time(1, 140, 50); // what comes later does not
    ck_assert_uint_eq(finish(), 10);
}
END_TEST

Suite *suite_weights(void);

Suite *suite_weights(void)
{
    TCase *tests = tcase_create("weights");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_period_is_shared_by_its_samples);
    tcase_add_test(tests, what_does_not_divide_is_not_lost);
    tcase_add_test(tests, time_without_a_sample_waits_for_the_next);
    tcase_add_test(tests, the_rest_of_a_thread_goes_to_its_last_samples);
    tcase_add_test(tests, finish_ends_threads);
    tcase_add_test(tests, values_have_other_numbers);
    tcase_add_test(tests, never_sampled_is_unattributed);
    tcase_add_test(tests, unmet_threads_are_stood_for_by_those_that_ended);
    tcase_add_test(tests, ended_in_the_period_takes_the_unknown_once);
    tcase_add_test(tests, clocks_that_lag_lose_nothing);
    tcase_add_test(tests, processes_are_apart);
    tcase_add_test(tests, a_process_that_ends_leaves_what_no_sample_took);
    tcase_add_test(tests, a_thread_may_end_after_its_process);
    tcase_add_test(tests, a_process_goes_on_with_another_sampler);
    tcase_add_test(tests, what_is_open_then_goes_to_the_next_samples);
    tcase_add_loop_test(tests, sums_are_exact, 0, 30);
    Suite *suite = suite_create("weights");
    suite_add_tcase(suite, tests);
    return suite;
}
