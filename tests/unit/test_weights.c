// SPDX-License-Identifier: MIT
#include "collect/weights.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"

#define PROCESS 1

static struct profile *profile;
static struct weights *weights;

static void set_up(void)
{
    profile = profile_new(100000);
    weights = weights_new(profile);
    profile_thread_add(profile, 1, 1, "t", "p");
}

static void tear_down(void)
{
    weights_free(weights);
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
    weights_sample(weights, PROCESS, thread, value(number));
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

#define PROCESSES_MAX 8

// What no sample took, of the processes that have not ended.
static uint64_t finish(void)
{
    uint64_t open = 0;
    weights_finish(weights);
    for (uint32_t process = 0; process < PROCESSES_MAX; process++)
        open += weights_process_end(weights, process);
    return open;
}

START_TEST(a_period_is_shared_by_its_samples)
{
    sample(1, 0);
    sample(1, 1);
    sample(1, 0);
    ck_assert_uint_eq(profile_value_get(profile, 0)->samples, 2); // at once
    ck_assert_uint_eq(cpu(0), 0);                                 // its time later
    weights_thread_time(weights, PROCESS, 1, 300);
    ck_assert_uint_eq(cpu(0), 200);
    ck_assert_uint_eq(cpu(1), 100);
    sample(1, 1);
    weights_thread_time(weights, PROCESS, 1, 50);
    ck_assert_uint_eq(cpu(0), 200);
    ck_assert_uint_eq(cpu(1), 150);
    weights_process_time(weights, PROCESS, 350, 350);
    ck_assert_uint_eq(finish(), 0);
    ck_assert_uint_eq(cpu_of_all(), 350);
}
END_TEST

START_TEST(what_does_not_divide_is_not_lost)
{
    for (uint32_t i = 0; i < 7; i++)
        sample(1, i);
    weights_thread_time(weights, PROCESS, 1, 100);
    ck_assert_uint_eq(cpu_of_all(), 100);
    for (uint32_t i = 0; i < 7; i++)
        ck_assert(cpu(i) == 14 || cpu(i) == 15);
    sample(1, 0);
    sample(1, 1);
    weights_thread_time(weights, PROCESS, 1, 1);
    ck_assert_uint_eq(cpu_of_all(), 101);
}
END_TEST

START_TEST(time_without_a_sample_waits_for_the_next)
{
    weights_thread_time(weights, PROCESS, 1, 70);
    weights_thread_time(weights, PROCESS, 1, 20);
    sample(1, 0);
    ck_assert_uint_eq(cpu(0), 0);
    weights_thread_time(weights, PROCESS, 1, 10);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(the_rest_of_a_thread_goes_to_its_last_samples)
{
    sample(1, 0);
    weights_thread_time(weights, PROCESS, 1, 100);
    sample(1, 1);
    weights_thread_time(weights, PROCESS, 1, 10);
    weights_thread_time(weights, PROCESS, 1, 5); // no sample in this period
    weights_thread_end(weights, PROCESS, 1, 0);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(cpu(1), 15);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

// The store may number its values anew, whatever they are waiting for.
START_TEST(values_have_other_numbers)
{
    sample(1, 0); // of a thread whose period is over
    weights_thread_time(weights, PROCESS, 1, 10);
    sample(2, 1); // of one whose period is not
    sample(3, 2); // of one that has ended
    weights_thread_end(weights, PROCESS, 3, 0);
    value(5);
    weights_renumber(weights, (uint32_t[]){3, 4, 5});
    weights_thread_end(weights, PROCESS, 1, 7);
    weights_thread_time(weights, PROCESS, 2, 20);
    weights_process_time(weights, PROCESS, 100, 60);
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
    weights_thread_time(weights, PROCESS, 1, 100);
    weights_thread_time(weights, PROCESS, 1, 30);
    sample(2, 1); // its time was never told
    ck_assert_uint_eq(finish(), 0);
    ck_assert_uint_eq(cpu(0), 130);
    ck_assert_uint_eq(cpu(1), 0);
}
END_TEST

START_TEST(never_sampled_is_unattributed)
{
    weights_thread_end(weights, PROCESS, 1, 70);
    weights_thread_time(weights, PROCESS, 2, 7);
    weights_process_time(weights, PROCESS, 100, 77);
    ck_assert_uint_eq(finish(), 100);
    ck_assert_uint_eq(cpu_of_all(), 0);
}
END_TEST

START_TEST(unmet_threads_are_stood_for_by_those_that_ended)
{
    sample(1, 0);
    weights_thread_time(weights, PROCESS, 1, 100); // goes on
    sample(2, 1);
    sample(3, 2);
    weights_thread_end(weights, PROCESS, 2, 10);
    weights_thread_end(weights, PROCESS, 3, 12);
    weights_process_time(weights, PROCESS, 222, 122);
    ck_assert_uint_eq(cpu(0), 100);
    ck_assert_uint_eq(cpu(1), 10 + 50);
    ck_assert_uint_eq(cpu(2), 12 + 50);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(ended_in_the_period_takes_the_unknown_once)
{
    sample(2, 0);
    weights_thread_end(weights, PROCESS, 2, 0); // its sample and its end in one period
    weights_process_time(weights, PROCESS, 40, 0);
    ck_assert_uint_eq(cpu(0), 40);
    weights_process_time(weights, PROCESS, 100, 0); // nobody ended here
    ck_assert_uint_eq(cpu(0), 40);
    sample(3, 1);
    weights_thread_end(weights, PROCESS, 3, 0);
    weights_process_time(weights, PROCESS, 105, 0);
    ck_assert_uint_eq(cpu(0), 40);
    ck_assert_uint_eq(cpu(1), 65);
    ck_assert_uint_eq(finish(), 0);
}
END_TEST

START_TEST(clocks_that_lag_lose_nothing)
{
    sample(1, 0);
    weights_thread_time(weights, PROCESS, 1, 100);
    weights_process_time(weights, PROCESS, 90, 100); // the process's clock is behind
    weights_process_time(weights, PROCESS, 130, 100);
    ck_assert_uint_eq(finish(), 30);
    ck_assert_uint_eq(cpu_of_all(), 100);
}
END_TEST

START_TEST(processes_are_apart)
{
    weights_sample(weights, 1, 10, value(0));
    weights_sample(weights, 2, 20, value(1));
    weights_thread_end(weights, 1, 10, 0);
    weights_thread_end(weights, 2, 20, 0);
    weights_process_time(weights, 1, 50, 0);
    ck_assert_uint_eq(cpu(0), 50);
    ck_assert_uint_eq(cpu(1), 0);
    weights_process_time(weights, 3, 7, 0);
    ck_assert_uint_eq(finish(), 7);
}
END_TEST

// --- whatever happens, the sums are the kernel's

#define PROCESSES 3
#define SLOTS 20

struct model {
    uint64_t cpu[PROCESSES], threads_cpu[PROCESSES];
    uint32_t numbers[SLOTS]; // of threads that live; slot % PROCESSES is the process. 0: none
    uint32_t next;
    uint64_t samples;
};

static void spend(struct model *model, uint32_t slot, uint64_t cpu_ns, bool last)
{
    (last ? weights_thread_end : weights_thread_time)(weights, slot % PROCESSES,
                                                      model->numbers[slot], cpu_ns);
    model->cpu[slot % PROCESSES] += cpu_ns;
    model->threads_cpu[slot % PROCESSES] += cpu_ns;
}

static void act(struct model *model)
{
    uint32_t slot = (uint32_t)random() % SLOTS, process = slot % PROCESSES;
    if (!model->numbers[slot])
        model->numbers[slot] = ++model->next;
    switch (random() % 8) {
    case 0 ... 3:
        weights_sample(weights, process, model->numbers[slot], value((uint32_t)random() % 50));
        model->samples++;
        break;
    case 4 ... 5:
        spend(model, slot, (uint64_t)random() % 5 * 333, false);
        break;
    case 6:
        spend(model, slot, (uint64_t)random() % 1000, true);
        model->numbers[slot] = 0;
        break;
    case 7:
        model->cpu[process] += (uint64_t)random() % 100; // of a thread that was never met
        weights_process_time(weights, process, model->cpu[process], model->threads_cpu[process]);
        break;
    }
}

START_TEST(sums_are_exact)
{
    struct model model = {0};
    srandom((unsigned)_i);
    for (unsigned i = 0; i < 5000; i++)
        act(&model);
    uint64_t all = 0, samples = 0;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        weights_process_time(weights, i, model.cpu[i], model.threads_cpu[i]);
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
    weights_process_time(weights, 1, 1000, 400);
    ck_assert_uint_eq(weights_process_end(weights, 1), 600);
    ck_assert_uint_eq(weights_process_end(weights, 1), 0); // it is told only once
    weights_process_time(weights, 2, 70, 0);               // in its place
    ck_assert_uint_eq(finish(), 70);
}
END_TEST

// As when another sampler takes over. Times: before it 100 are open, after it 30.
START_TEST(a_process_goes_on_under_another_number)
{
    weights_process_time(weights, 1, 500, 400);
    weights_sample(weights, 1, 7, value(0));
    weights_thread_end(weights, 1, 7, 0);
    weights_process_renumber(weights, 1, 2);
    weights_process_time(weights, 2, 80, 50);
    ck_assert_uint_eq(cpu(0), 130);
    weights_process_time(weights, 1, 9, 0); // the old number is unknown
    ck_assert_uint_eq(finish(), 9);
}
END_TEST

START_TEST(what_is_open_then_goes_to_the_next_samples)
{
    weights_sample(weights, 1, 6, value(0));
    weights_thread_time(weights, 1, 6, 1000);
    weights_process_time(weights, 1, 1000, 1000);
    weights_thread_end(weights, 1, 6, 0); // its samples have been shared out
    weights_process_renumber(weights, 1, 2);
    weights_process_time(weights, 2, 70, 0); // none yet
    weights_sample(weights, 2, 7, value(1));
    weights_thread_time(weights, 2, 7, 50);
    weights_process_time(weights, 2, 130, 50);
    ck_assert_uint_eq(cpu(0), 1000);
    ck_assert_uint_eq(cpu(1), 130);
    weights_process_time(weights, 2, 140, 50); // what comes later does not
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
    tcase_add_test(tests, a_process_goes_on_under_another_number);
    tcase_add_test(tests, what_is_open_then_goes_to_the_next_samples);
    tcase_add_loop_test(tests, sums_are_exact, 0, 30);
    Suite *suite = suite_create("weights");
    suite_add_tcase(suite, tests);
    return suite;
}
