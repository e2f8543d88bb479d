// SPDX-License-Identifier: MIT
#include "sample/ring.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define KIND 3
#define SIZE 4096u

struct numbered { // what the tests put into the ring
    struct record record;
    uint64_t number;
    unsigned char bytes[];
};

#define PAGE 4096u

static size_t pages_of(size_t size)
{
    return (sizeof(struct ring) + size + PAGE - 1) / PAGE * PAGE;
}

// Behind its last byte is a page that nobody may touch.
static struct ring *ring_new(size_t size)
{
    size_t bytes = sizeof(struct ring) + size, pages = pages_of(size);
    char *memory = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + pages, PAGE, PROT_NONE), 0);
    struct ring *ring = (struct ring *)(void *)(memory + pages - bytes);
    ring_init(ring, bytes);
    ck_assert_uint_eq(ring->size, size);
    return ring;
}

static void ring_unmap(struct ring *ring)
{
    char *end = (char *)ring + sizeof *ring + ring->size;
    size_t pages = pages_of(ring->size);
    munmap(end - pages, pages + PAGE);
}

static uint64_t mix(uint64_t number)
{
    return (number ^ number >> 29) * 0xbf58476d1ce4e5b9u >> 17;
}

static size_t length_of(uint64_t number, size_t most)
{
    return sizeof(struct numbered) + mix(number) % (most - sizeof(struct numbered) + 1);
}

static bool put(struct ring *ring, uint64_t number, size_t length)
{
    struct numbered *record = (struct numbered *)ring_reserve(ring, length);
    if (!record)
        return false;
    record->number = number;
    memset(record->bytes, (int)(number & 0xff), length - sizeof *record);
    ring_commit(&record->record, KIND);
    return true;
}

// Takes the oldest record, which must be this one.
static void take(struct ring *ring, uint64_t number, size_t length)
{
    const struct numbered *record = (const struct numbered *)ring_peek(ring);
    ck_assert_ptr_nonnull(record);
    ck_assert_uint_eq(atomic_load(&record->record.kind), KIND);
    ck_assert_uint_eq(record->record.length, length);
    ck_assert_uint_eq(record->number, number);
    for (size_t i = 0; i < length - sizeof *record; i++)
        ck_assert_uint_eq(record->bytes[i], number & 0xff);
    ring_release(ring, &record->record);
}

START_TEST(takes_the_largest_power_of_two)
{
    struct ring *ring = xcalloc(1, sizeof *ring + 5000);
    ring_init(ring, sizeof *ring + 5000);
    ck_assert_uint_eq(ring->size, 4096);
    ck_assert_ptr_null(ring_peek(ring));
    free(ring);
}
END_TEST

START_TEST(in_order_around_the_end)
{
    struct ring *ring = ring_new(SIZE);
    uint64_t in = 0, out = 0;
    while (out < 20000) {
        while (in - out < mix(out) % 40 && put(ring, in, length_of(in, 300)))
            in++;
        if (out < in) {
            take(ring, out, length_of(out, 300));
            out++;
        } else if (put(ring, in, length_of(in, 300))) {
            in++;
        }
    }
    ring_unmap(ring);
}
END_TEST

START_TEST(full_refuses)
{
    struct ring *ring = ring_new(SIZE);
    uint64_t count = 0;
    while (put(ring, count, 64))
        count++;
    ck_assert_uint_eq(count, SIZE / 64);
    ck_assert_ptr_null(ring_reserve(ring, sizeof(struct record)));
    take(ring, 0, 64);
    ck_assert_ptr_null(ring_reserve(ring, 65));
    ck_assert(put(ring, count, 64));
    ck_assert(!put(ring, count + 1, 64));
    for (uint64_t number = 1; number <= count; number++)
        take(ring, number, 64);
    ck_assert_ptr_null(ring_peek(ring));
    ring_unmap(ring);
}
END_TEST

START_TEST(larger_than_the_ring_refuses)
{
    struct ring *ring = ring_new(SIZE);
    ck_assert_ptr_null(ring_reserve(ring, SIZE + 1));
    ck_assert_ptr_null(ring_reserve(ring, SIZE_MAX / 2));
    ck_assert(put(ring, 1, SIZE));
    take(ring, 1, SIZE);
    ring_unmap(ring);
}
END_TEST

// Wherever writer and reader are: what has at most half the size finds room in an empty ring.
START_TEST(empty_takes_half_of_it_anywhere)
{
    struct ring *ring = ring_new(SIZE);
    for (uint64_t number = 0; number < 2000; number += 2) {
        ck_assert(put(ring, number, length_of(number, 500)));
        take(ring, number, length_of(number, 500));
        ck_assert(put(ring, number + 1, SIZE / 2));
        take(ring, number + 1, SIZE / 2);
    }
    ring_unmap(ring);
}
END_TEST

START_TEST(abandoned_is_passed_over)
{
    struct ring *ring = ring_new(SIZE);
    for (uint64_t number = 0; number < 1000; number++) {
        struct record *lost = ring_reserve(ring, length_of(number + 7, 1000));
        ck_assert_ptr_nonnull(lost);
        memset(lost + 1, 0xee, length_of(number + 7, 1000) - sizeof *lost);
        ck_assert_ptr_null(ring_peek(ring));
        ck_assert(put(ring, number, length_of(number, 1000)));
        ck_assert_ptr_null(ring_peek(ring)); // what is older is open
        ring_abandon(lost);
        take(ring, number, length_of(number, 1000));
    }
    ring_unmap(ring);
}
END_TEST

// A writer that was ended with a record open, and records of others behind it.
START_TEST(recovers_what_was_left_open)
{
    struct ring *ring = ring_new(SIZE);
    for (uint64_t number = 0; number < 1000; number++) {
        struct record *open = ring_reserve(ring, length_of(number + 7, 700));
        ck_assert_ptr_nonnull(open);
        ck_assert(put(ring, number, length_of(number, 700)));
        ck_assert_ptr_null(ring_peek(ring));
        bool knows_length = number % 2;
        if (!knows_length)
            open->length = 0;
        ck_assert(ring_recover(ring) == knows_length);
        if (knows_length)
            take(ring, number, length_of(number, 700));
        ck_assert(!ring_recover(ring));
        ck_assert_ptr_null(ring_peek(ring));
        ck_assert(put(ring, number, length_of(number, 700)));
        take(ring, number, length_of(number, 700));
    }
    ring_unmap(ring);
}
END_TEST

#define MANY 200000

static _Noreturn void write_many(struct ring *ring)
{
    for (uint64_t number = 0; number < MANY; number++) {
        struct record *lost = number % 5 ? NULL : ring_reserve(ring, length_of(number + 1, 2000));
        if (lost)
            ring_abandon(lost);
        while (!put(ring, number, length_of(number, 2000)))
            sched_yield();
    }
    _exit(0);
}

// Another process writes as fast as it can, mostly into a full ring.
START_TEST(between_two_processes)
{
    struct ring *ring = ring_new(1 << 15);
    pid_t writer = fork();
    int status;
    if (writer == 0)
        write_many(ring);
    for (uint64_t number = 0; number < MANY; number++) {
        while (!ring_peek(ring))
            sched_yield();
        const struct numbered *record = (const struct numbered *)ring_peek(ring);
        size_t length = length_of(number, 2000), data = length - sizeof *record;
        bool intact = record->record.kind == KIND && record->record.length == length &&
                      record->number == number;
        intact &= !data || (record->bytes[0] == (number & 0xff) &&
                            !memcmp(record->bytes, record->bytes + 1, data - 1));
        ck_assert_msg(intact, "record %lu", (unsigned long)number);
        ring_release(ring, &record->record);
    }
    waitpid(writer, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_null(ring_peek(ring));
    ring_unmap(ring);
}
END_TEST

#define WRITERS 4
#define FEW 1000 // records of each

static void *write_own(void *argument)
{
    struct ring *ring = argument;
    static _Atomic uint64_t next;
    uint64_t base = atomic_fetch_add(&next, 1) << 32;
    for (uint64_t i = 0; i < FEW; i++)
        while (!put(ring, base + i, length_of(base + i, 2000)))
            sched_yield();
    return NULL;
}

// Each writer's records come in its order, and whole.
START_TEST(from_many_writers)
{
    struct ring *ring = ring_new(1 << 15);
    pthread_t writers[WRITERS];
    uint64_t next[WRITERS] = {0};
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_own, ring);
    for (uint64_t taken = 0; taken < FEW * WRITERS; taken++) {
        const struct numbered *record;
        while (!(record = (const struct numbered *)ring_peek(ring)))
            sched_yield();
        uint64_t writer = record->number >> 32;
        ck_assert_uint_lt(writer, WRITERS);
        ck_assert_uint_eq(record->number & UINT32_MAX, next[writer]);
        next[writer]++;
        take(ring, record->number, length_of(record->number, 2000));
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    ck_assert_ptr_null(ring_peek(ring));
    ring_unmap(ring);
}
END_TEST

// Around the end of the ring, at each place where a record may begin there.
START_TEST(next_without_release)
{
    struct ring *ring = ring_new(SIZE);
    for (uint64_t first = 0; first < 300; first++) {
        for (uint64_t number = first; number < first + 8; number++)
            ck_assert(put(ring, number, length_of(number, SIZE / 16)));
        ring_abandon(ring_reserve(ring, sizeof(struct numbered)));
        ck_assert(put(ring, first + 8, sizeof(struct numbered)));
        ck_assert_ptr_nonnull(ring_reserve(ring, sizeof(struct numbered))); // not committed
        const struct record *record = ring_peek(ring);
        for (uint64_t number = first; number < first + 9; number++) {
            ck_assert_uint_eq(((const struct numbered *)record)->number, number);
            record = ring_next(ring, record);
        }
        ck_assert_ptr_null(record);
        while ((record = ring_peek(ring)))
            ring_release(ring, record);
        ck_assert(ring_recover(ring));
        ck_assert_ptr_null(ring_peek(ring));
    }
    ring_unmap(ring);
}
END_TEST

Suite *suite_ring(void);

Suite *suite_ring(void)
{
    TCase *tests = tcase_create("ring");
    tcase_add_test(tests, takes_the_largest_power_of_two);
    tcase_add_test(tests, in_order_around_the_end);
    tcase_add_test(tests, full_refuses);
    tcase_add_test(tests, larger_than_the_ring_refuses);
    tcase_add_test(tests, empty_takes_half_of_it_anywhere);
    tcase_add_test(tests, abandoned_is_passed_over);
    tcase_add_test(tests, next_without_release);
    tcase_add_test(tests, recovers_what_was_left_open);
    tcase_add_test(tests, between_two_processes);
    tcase_add_test(tests, from_many_writers);
    Suite *suite = suite_create("ring");
    suite_add_tcase(suite, tests);
    return suite;
}
