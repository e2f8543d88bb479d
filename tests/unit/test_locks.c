// SPDX-License-Identifier: MIT
// Who is charged with what others waited for a lock.
#include "collect/spots.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define PROCESS 3
#define WORD 0x7008u // address of the owner's word
#define HOLDER 11    // tids
#define OTHER 12

static struct profile *profile;
static struct locks locks;
static uint32_t wait, lock;
static struct lock_watch watch;

static void set_up(void)
{
    profile = profile_new(1000);
    profile_thread_add(profile, 1, 1, "t", "p");
    wait = profile_wait_add(profile);
    locks = (struct locks){0};
    lock = locks_meet(&locks, PROCESS, &(struct wait_sort){.owner_at = WORD}, wait);
}

static void tear_down(void)
{
    locks_fini(&locks);
    profile_free(profile);
}

static uint32_t place(uint64_t number)
{
    uint32_t location = profile_location(profile, 0, number);
    return profile_value_of_wait(profile, profile_stack(profile, &location, 1), 0, STATE_HOLDING,
                                 wait);
}

static const struct profile_value *value(uint64_t number)
{
    return profile_value_get(profile, place(number));
}

START_TEST(holders_share_what_was_waited)
{
    locks_begin_wait(&locks, lock, 100);
    locks_charge(&locks, lock, place(1), 30);
    locks_charge(&locks, lock, place(2), 60);
    locks_charge(&locks, lock, place(1), 10);
    locks_delay(&locks, lock, 1000, 10);
    locks_settle(&locks, profile);
    ck_assert_uint_eq(value(1)->ns, 400);
    ck_assert_uint_eq(value(2)->ns, 600);
    ck_assert_uint_eq(value(1)->samples + value(2)->samples, 10);
    locks_settle(&locks, profile); // nothing counts twice
    ck_assert_uint_eq(value(1)->ns, 400);
}
END_TEST

// Two wait while the first place holds it, one while the second does.
START_TEST(a_holder_counts_as_often_as_others_wait)
{
    locks_begin_wait(&locks, lock, 100);
    locks_begin_wait(&locks, lock, 100);
    locks_charge(&locks, lock, place(1), 50);
    locks_end_wait(&locks, lock, 200);
    locks_charge(&locks, lock, place(2), 50);
    locks_end_wait(&locks, lock, 300);
    locks_charge(&locks, lock, place(3), 50);
    locks_delay(&locks, lock, 300, 3);
    locks_settle(&locks, profile);
    ck_assert_uint_eq(value(1)->ns, 200);
    ck_assert_uint_eq(value(2)->ns, 100);
    ck_assert_uint_eq(value(3)->ns, 0);
}
END_TEST

// A holder sleeps from 100 to 500; one thread waits from 200 to 300, another from 250 on.
START_TEST(a_sleeping_holder_is_charged_with_all_waiters)
{
    struct holding holding = locks_begin_holding(&locks, lock, place(1), 100);
    locks_begin_wait(&locks, lock, 200);
    locks_begin_wait(&locks, lock, 250);
    locks_end_wait(&locks, lock, 300);
    locks_end_holding(&locks, &holding, 500);
    ck_assert_uint_eq(holding.lock, 0);
    ck_assert_uint_eq(locks.list[lock - 1].charges[0].ns, 100 + 250);
    locks_end_holding(&locks, &holding, 900); // it holds nothing any more
    ck_assert_uint_eq(locks.list[lock - 1].charge_count, 1);
}
END_TEST

// One that sleeps on is charged up to then, with what comes later once it wakes.
START_TEST(a_holder_that_sleeps_on_is_charged_in_parts)
{
    struct holding holding = locks_begin_holding(&locks, lock, place(1), 100);
    locks_begin_wait(&locks, lock, 200);
    locks_go_on_holding(&locks, &holding, 300);
    ck_assert_uint_eq(holding.lock, lock);
    ck_assert_uint_eq(locks.list[lock - 1].charges[0].ns, 100);
    locks_delay(&locks, lock, 1000, 1);
    locks_settle(&locks, profile);
    ck_assert_uint_eq(value(1)->ns, 1000);
    locks_end_holding(&locks, &holding, 450);
    ck_assert_uint_eq(locks.list[lock - 1].charges[0].ns, 150);
    locks_go_on_holding(&locks, &holding, 900); // it holds nothing any more
    ck_assert_uint_eq(holding.lock, 0);
}
END_TEST

static uint32_t nobody(void *context, uint32_t of)
{
    ck_assert_uint_eq(of, wait);
    return *(const uint32_t *)context;
}

START_TEST(what_no_holder_took_is_not_lost)
{
    uint32_t unseen = place(9);
    locks_delay(&locks, lock, 77, 2);
    locks_settle(&locks, profile);
    ck_assert_uint_eq(value(9)->ns, 0); // a holder may come yet
    locks_settle_last(&locks, profile, nobody, &unseen);
    ck_assert_uint_eq(value(9)->ns, 77);
    ck_assert_uint_eq(value(9)->samples, 2);
}
END_TEST

// Who is found when all is over has not held it all the time, unless it has slept for as long.
START_TEST(a_holder_that_is_found_at_the_end_has_its_sleep)
{
    uint32_t unseen = place(9);
    locks_begin_wait(&locks, lock, 100);
    locks_begin_wait(&locks, lock, 100);
    locks_delay(&locks, lock, 1000, 50);
    locks_charge_late(&locks, lock, place(1), 10);
    locks_settle_last(&locks, profile, nobody, &unseen);
    ck_assert_uint_eq(value(1)->ns, 20);
    ck_assert_uint_eq(value(1)->samples, 1);
    ck_assert_uint_eq(value(9)->ns, 980);
    ck_assert_uint_eq(value(9)->samples, 49);
    locks_delay(&locks, lock, 100, 1); // holders are known by now
    locks_charge_late(&locks, lock, place(1), 10);
    locks_settle_last(&locks, profile, nobody, &unseen);
    ck_assert_uint_eq(value(1)->ns, 120);
}
END_TEST

START_TEST(a_holder_that_slept_all_the_time_has_all)
{
    uint32_t unseen = place(9);
    locks_begin_wait(&locks, lock, 100);
    locks_delay(&locks, lock, 1000, 1);
    locks_charge_late(&locks, lock, place(1), 990); // it was looked at after who waits
    locks_settle_last(&locks, profile, nobody, &unseen);
    ck_assert_uint_eq(value(1)->ns, 1000);
    ck_assert_uint_eq(value(9)->ns, 0);
}
END_TEST

// Both sides of a mutex profile have the same sum even if nothing says who may hold the lock.
START_TEST(a_lock_without_a_trace_of_its_holder_is_not_lost)
{
    uint32_t unseen = place(9);
    struct spot spot = {.sorted = true};
    struct spots spots = {.profile = profile, .list = &spot, .count = 1, .sorted = 1};
    spots_delay(&spots, wait, 55, 1);
    spots_settle_last(&spots, nobody, &unseen);
    ck_assert_uint_eq(value(9)->ns, 0); // it is no lock
    profile_wait_set(profile, wait, "lock", NULL, (struct profile_wait){.lock = true});
    spots_delay(&spots, wait, 77, 2);
    spots_settle_last(&spots, nobody, &unseen);
    ck_assert_uint_eq(value(9)->ns, 77);
    ck_assert_uint_eq(value(9)->samples, 2);
}
END_TEST

static struct capture *capture_of(uint64_t at, uint32_t word)
{
    static union {
        struct capture capture;
        char room[sizeof(struct capture) + 64];
    } room;
    memset(&room, 0, sizeof room);
    room.capture.lock_count = 1;
    room.capture.locks[0] = (struct lock_word){at, word};
    return &room.capture;
}

START_TEST(the_owner_is_who_the_word_names)
{
    locks_begin_wait(&locks, lock, 100);
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture_of(WORD, HOLDER), HOLDER, 0), lock);
    const uint32_t waiters = 1u << 31; // the bit of a robust or priority-inheriting lock
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture_of(WORD, waiters | HOLDER), HOLDER, 0),
                      lock);
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture_of(WORD, HOLDER), OTHER, 0), 0);
    ck_assert_uint_eq(locks_held(&locks, PROCESS + 1, capture_of(WORD, HOLDER), HOLDER, 0), 0);
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture_of(WORD + 8, HOLDER), HOLDER, 0), 0);
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture_of(WORD, HOLDER), HOLDER, lock), 0);
}
END_TEST

START_TEST(a_lock_without_an_owner_is_on_its_holder_s_stack)
{
    uint64_t address = 0x9000;
    const struct wait_sort sort = {.scanned = address, .futex = address + 4}; // as in musl
    uint32_t other = locks_meet(&locks, PROCESS, &sort, wait);
    struct capture *capture = capture_of(sort.futex, 2);
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture, HOLDER, 0), 0);
    memcpy(capture->stack + 16, &address, sizeof address);
    capture->stack_length = 32;
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture, HOLDER, 0), other);
    capture->regs = registers_at(0, 4); // only whole aligned words count
    ck_assert_uint_eq(locks_held(&locks, PROCESS, capture, HOLDER, 0), 0);
}
END_TEST

START_TEST(locks_that_are_waited_for_are_watched)
{
    int64_t now = 100 * (int64_t)NS_PER_S;
    for (uint64_t i = 0; i < 2 * LOCK_WORDS; i++) {
        uint32_t more = locks_meet(&locks, PROCESS, &(struct wait_sort){.owner_at = i + 1}, wait);
        for (uint64_t k = 0; k < i; k++)
            locks_begin_wait(&locks, more, now);
    }
    locks_choose(&locks, now);
    locks_watch(&locks, &watch);
    ck_assert_uint_eq(watch.count, LOCK_WORDS);
    for (uint64_t i = 0; i < LOCK_WORDS; i++)
        ck_assert_uint_eq(watch.slots[i].owner_at, 2 * LOCK_WORDS - i);
    locks_fini(&locks);
    locks_choose(&locks, now);
    locks_watch(&locks, &watch);
    ck_assert_uint_eq(watch.count, 0);
}
END_TEST

START_TEST(a_lock_is_known_again)
{
    ck_assert_uint_eq(locks_meet(&locks, PROCESS, &(struct wait_sort){.owner_at = WORD}, 0), lock);
    ck_assert_uint_ne(locks_meet(&locks, PROCESS + 1, &(struct wait_sort){.owner_at = WORD}, 0),
                      lock);
    ck_assert_uint_eq(locks_meet(&locks, PROCESS, &(struct wait_sort){.object = WORD}, 0), 0);
}
END_TEST

Suite *suite_locks(void);
Suite *suite_locks(void)
{
    Suite *suite = suite_create("locks");
    TCase *tests = tcase_create("locks");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, holders_share_what_was_waited);
    tcase_add_test(tests, a_holder_counts_as_often_as_others_wait);
    tcase_add_test(tests, a_sleeping_holder_is_charged_with_all_waiters);
    tcase_add_test(tests, a_holder_that_sleeps_on_is_charged_in_parts);
    tcase_add_test(tests, what_no_holder_took_is_not_lost);
    tcase_add_test(tests, a_holder_that_is_found_at_the_end_has_its_sleep);
    tcase_add_test(tests, a_holder_that_slept_all_the_time_has_all);
    tcase_add_test(tests, a_lock_without_a_trace_of_its_holder_is_not_lost);
    tcase_add_test(tests, the_owner_is_who_the_word_names);
    tcase_add_test(tests, a_lock_without_an_owner_is_on_its_holder_s_stack);
    tcase_add_test(tests, locks_that_are_waited_for_are_watched);
    tcase_add_test(tests, a_lock_is_known_again);
    suite_add_tcase(suite, tests);
    return suite;
}
