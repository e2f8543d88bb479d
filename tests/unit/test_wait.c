// SPDX-License-Identifier: MIT
// Locks in memory that the tests make up: every layout, and what a hostile process puts there.
#include <check.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/escape.h"
#include "base/mem.h"
#include "wait/syscall_form.h"
#include "wait/wait.h"

#define LOCK 0x7000u   // where the words of the lock lie
#define STACK 0x10000u // the stack of thread i begins at STACK * (i + 1)
#define WORDS 16
#define THREADS 4
#define PRIVATE FUTEX_PRIVATE_FLAG

static struct scene {
    uint32_t words[WORDS];
    bool mapped;
    uint64_t stacks[THREADS][WORDS];
    struct wait_frame frames[THREADS][4];
    struct wait_thread threads[THREADS];
    struct wait_process process;
    struct wait waits[THREADS];
    const char *object, *file;
} scene;

static bool read_scene(void *context, uint64_t address, void *to, size_t length)
{
    (void)context;
    bool inside = address >= LOCK && address - LOCK <= sizeof scene.words &&
                  length <= sizeof scene.words - (address - LOCK);
    if (!scene.mapped || !inside)
        return false;
    memcpy(to, (const char *)scene.words + (address - LOCK), length);
    return true;
}

static const char *object_of(void *context, uint64_t address, uint64_t *offset)
{
    (void)context;
    *offset = address - LOCK;
    return scene.object;
}

static const char *file_of(void *context, uint64_t address)
{
    (void)context;
    (void)address;
    return scene.file;
}

// Thread 0 waits in futex() at LOCK + `at`; the others are in pause().
static void set_scene(uint64_t at, uint32_t operation, uint32_t value, const char *function)
{
    scene.mapped = true;
    for (size_t i = 0; i < THREADS; i++) {
        scene.frames[i][0] = (struct wait_frame){.pc = 1, .sp = STACK * (i + 1)};
        scene.frames[i][1] = (struct wait_frame){.pc = 2, .sp = STACK * (i + 1) + 32};
        scene.frames[i][2] = (struct wait_frame){.pc = 3, .sp = STACK * (i + 1) + 64};
        scene.threads[i] = (struct wait_thread){
            .tid = 100 + (pid_t)i,
            .inner_tid = 100 + (pid_t)i,
            .comm = "thread",
            .state = 'S',
            .call = {.number = SYS_pause, .sp = STACK * (i + 1)},
            .frames = scene.frames[i],
            .frame_count = 3,
            .stack = scene.stacks[i],
            .stack_length = sizeof scene.stacks[i],
        };
    }
    scene.threads[0].call.number = SYS_futex;
    scene.threads[0].call.args[0] = LOCK + at;
    scene.threads[0].call.args[1] = operation;
    scene.threads[0].call.args[2] = value;
    scene.frames[0][1].name = function;
    scene.process = (struct wait_process){
        .pid = 100,
        .proc = "/nowhere",
        .threads = scene.threads,
        .count = THREADS,
        .read = read_scene,
        .object = object_of,
        .file = file_of,
    };
}

static struct wait *find(void)
{
    wait_find_all(&scene.process, scene.waits);
    return &scene.waits[0];
}

static void setup(void)
{
    memset(&scene, 0, sizeof scene);
}

static void teardown(void)
{
    for (size_t i = 0; i < THREADS; i++)
        wait_fini(&scene.waits[i]);
}

// ---- every layout

#define MUTEX_CALL FUTEX_WAIT | PRIVATE, 2
#define BITSET_CALL FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | PRIVATE
#define NOBODY_HOLDS WAIT_NOBODY

static const struct layout {
    const char *function; // NULL: no names
    const char *file;
    uint64_t at;
    uint32_t operation, value;
    uint32_t words[WORDS];
    enum wait_kind kind;
    const char *object_kind;
    uint64_t object;
    size_t owner;
    const char *text; // how the words begin, after the kind
} layouts[] = {
    {"pthread_mutex_lock", NULL, 0, MUTEX_CALL, {2, 0, 101, 1, 0},
     WAIT_LOCK, "mutex", LOCK, 1, " the_lock, held by 101 \"thread\""},
    {"___pthread_mutex_lock", NULL, 0, MUTEX_CALL, {2, 3, 102, 1, 1},
     WAIT_LOCK, "recursive mutex", LOCK, 2, " the_lock, held by 102"},
    {"__GI___pthread_mutex_lock", NULL, 0, MUTEX_CALL, {2, 0, 103, 1, 0x82},
     WAIT_LOCK, "error-checking mutex", LOCK, 3, " the_lock, held by 103"},
    {NULL, NULL, 0, MUTEX_CALL, {2, 0, 101, 1, 3},
     WAIT_LOCK, "adaptive mutex", LOCK, 1, " the_lock, held by 101"},
    {"pthread_mutex_lock", NULL, 0, FUTEX_WAIT | PRIVATE, 0x80000065, {0x80000065, 0, 101, 1, 16},
     WAIT_LOCK, "robust mutex", LOCK, 1, " the_lock, held by 101"},
    {"pthread_mutex_lock", NULL, 0, FUTEX_WAIT | PRIVATE, 0x80000065, {0xc0000065, 0, 101, 1, 16},
     WAIT_LOCK, "robust mutex", LOCK, 1, " the_lock, held by 101 \"thread\", whose owner died"},
    {NULL, NULL, 0, FUTEX_LOCK_PI | PRIVATE, 0, {0x80000066, 0, 102, 1, 32},
     WAIT_LOCK, "priority-inheriting mutex", LOCK, 2, " the_lock, held by 102"},
    {"my_lock", NULL, 0, FUTEX_LOCK_PI2 | PRIVATE, 0, {0x80000066, 0, 7, 1, 0},
     WAIT_LOCK, "priority-inheriting lock", LOCK, 2, " the_lock, held by 102"},
    {"pthread_mutex_lock", NULL, 0, MUTEX_CALL, {0, 0, 101, 0, 0}, // just set free
     WAIT_LOCK, "mutex", LOCK, NOBODY_HOLDS, " the_lock"},
    {"pthread_cond_wait", NULL, 0, MUTEX_CALL, {2, 0, 101, 1, 0}, // it takes its mutex back
     WAIT_LOCK, "mutex", LOCK, 1, " the_lock, held by 101"},
    {"pthread_cond_wait", NULL, 40, BITSET_CALL, 0, {[4] = 2, [9] = 1 << 3},
     WAIT_CONDITION, "condition variable", LOCK, NOBODY_HOLDS, " the_lock"},
    {"pthread_cond_timedwait", NULL, 36, BITSET_CALL, 0, {[7] = 2 << 3}, // glibc 2.41
     WAIT_CONDITION, "condition variable", LOCK, NOBODY_HOLDS, " the_lock"},
    {"pthread_rwlock_wrlock", NULL, 12, BITSET_CALL, 3, {[6] = 102},
     WAIT_LOCK, "rwlock (to write)", LOCK, 2, " the_lock, held by 102"},
    {"pthread_rwlock_rdlock", NULL, 8, BITSET_CALL, 3, {[6] = 102},
     WAIT_LOCK, "rwlock (to read)", LOCK, 2, " the_lock, held by 102"},
    {"pthread_rwlock_wrlock", NULL, 8, BITSET_CALL, 2, {3 << 3 | 2},
     WAIT_LOCK, "rwlock (to write)", LOCK, NOBODY_HOLDS, " the_lock, held by 3 readers"},
    {"sem_wait", NULL, 0, BITSET_CALL, 0, {0, 1, 0},
     WAIT_SEMAPHORE, "semaphore", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, "/lib/libc.so.6", 0, BITSET_CALL, 0, {0, 1, 0},
     WAIT_SEMAPHORE, "semaphore", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, "/bin/server", 0, BITSET_CALL, 0, {0, 1, 0}, // not from the C library: who knows
     WAIT_FUTEX, NULL, LOCK, NOBODY_HOLDS, "futex the_lock"},
    {"pthread_barrier_wait", NULL, 4, FUTEX_WAIT | PRIVATE, 5, {7, 5, 4},
     WAIT_BARRIER, "barrier", LOCK, NOBODY_HOLDS, " the_lock, 2 more to come"},
    {"pthread_join", NULL, 16, FUTEX_WAIT_BITSET, 103, {[4] = 103},
     WAIT_JOIN, "thread", LOCK + 16, 3, NULL},
    {NULL, NULL, 16, FUTEX_WAIT_BITSET, 103, {[4] = 103},
     WAIT_JOIN, "thread", LOCK + 16, 3, NULL},
    {NULL, "/lib/ld-musl-x86_64.so.1", 4, FUTEX_WAIT | PRIVATE, 0x80000066, {1, 0x80000066, 1},
     WAIT_LOCK, "recursive mutex", LOCK, 2, " the_lock, held by 102"},
    {NULL, "/lib/ld-musl-x86_64.so.1", 4, FUTEX_WAIT | PRIVATE, 0x80000010, {0, 0x80000010, 1},
     WAIT_LOCK, "mutex", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, NULL, 4, FUTEX_WAIT | PRIVATE, 0x80000010, {0, 0x80000010, 1}, // static and stripped
     WAIT_LOCK, "mutex", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, "/lib/ld-musl-x86_64.so.1", 0, FUTEX_WAIT | PRIVATE, 0xffffffff, {0xffffffff, 1, 128},
     WAIT_SEMAPHORE, "semaphore", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, "/lib/ld-musl-x86_64.so.1", 0, FUTEX_WAIT | PRIVATE, 0xffffffff, {0xffffffff, 1, 0},
     WAIT_LOCK, "rwlock", LOCK, NOBODY_HOLDS, " the_lock"},
    {NULL, "/lib/ld-musl-x86_64.so.1", 0, FUTEX_WAIT | PRIVATE, 0x80000002, {0x80000002, 1, 0},
     WAIT_LOCK, "rwlock (to write)", LOCK, NOBODY_HOLDS, " the_lock, held by 2 readers"},
    {"__lll_lock_wait_private", NULL, 0, MUTEX_CALL, {2},
     WAIT_LOCK, "lock of the C library", LOCK, NOBODY_HOLDS, " the_lock"},
    {"syscall", NULL, 0, MUTEX_CALL, {2, 0, 101, 1, 0}, // what it is only looks like a mutex
     WAIT_FUTEX, NULL, LOCK, NOBODY_HOLDS, "futex the_lock"},
    {"_ZN3std3sys4sync5mutex5futex5Mutex14lock_contended17h0E", NULL, 0, MUTEX_CALL, {2},
     WAIT_LOCK, "mutex", LOCK, NOBODY_HOLDS, " the_lock"},
    {"runtime.futex", NULL, 0, FUTEX_WAIT | PRIVATE, 2, {2},
     WAIT_LOCK, "lock of the Go runtime", LOCK, NOBODY_HOLDS, " the_lock"},
    {"runtime.futex.abi0", NULL, 0, FUTEX_WAIT | PRIVATE, 0, {0},
     WAIT_FUTEX, "parked", 0, NOBODY_HOLDS, ""},
};

START_TEST(test_layouts)
{
    const struct layout *layout = &layouts[_i];
    char expected[256];
    set_scene(layout->at, layout->operation, layout->value, layout->function);
    memcpy(scene.words, layout->words, sizeof scene.words);
    scene.file = layout->file;
    scene.object = layout->object == LOCK ? "the_lock" : NULL;
    if (layout->function && strcmp(layout->function, "syscall") == 0)
        scene.frames[0][0].name = "syscall";
    struct wait *wait = find();
    ck_assert_int_eq(wait->kind, layout->kind);
    ck_assert_pstr_eq(wait->object_kind, layout->object_kind);
    ck_assert_uint_eq(wait->object, layout->object);
    ck_assert_uint_eq(wait->owner, layout->owner);
    ck_assert_int_eq(wait->owner_tid, layout->owner == WAIT_NOBODY ? 0 : 100 + (int)layout->owner);
    ck_assert(!wait->probable && !wait->timed);
    snprintf(expected, sizeof expected, "%s%s", layout->object_kind ? layout->object_kind : "",
             layout->text ? layout->text : "");
    if (layout->text)
        ck_assert_msg(strncmp(wait->text, expected, strlen(expected)) == 0, "%s", wait->text);
    else
        ck_assert_str_eq(wait->text, "the end of 103 \"thread\"");
    wait_forget_owner(wait);
    ck_assert_ptr_null(strstr(wait->text, "103"));
    ck_assert_ptr_null(strstr(wait->text, "held by"));
}
END_TEST

// ---- what cannot be

static const struct {
    const char *function;
    uint32_t operation, value;
    uint32_t words[WORDS];
    pid_t owner_tid;
    const char *text;
} nonsense[] = {
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 0xffffffff, 1, 0}, 0, "mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 1u << 22, 1, 0}, 0, "mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 101, 0xffffffff, 0}, 0, "mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 101, 1, 0xdeadbeef}, 0, "mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {7, 0, 101, 1, 0}, 0, "mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 100, 1, 1}, 0, "recursive mutex the_lock"},
    {"pthread_mutex_lock", MUTEX_CALL, {2, 0, 999, 1, 0}, 999,
     "mutex the_lock, held by 999, which is no thread of this process"},
    {NULL, MUTEX_CALL, {2, 0, 999, 1, 0}, 0, "futex the_lock"},
    {"pthread_rwlock_wrlock", BITSET_CALL, 8, {0xffffffff, 0, 0, 0, 0, 0, 0xffffffff}, 0,
     "rwlock (to write) the_lock"},
    {"pthread_barrier_wait", BITSET_CALL, 8, {0, 0, 0}, 0, "barrier the_lock"},
    {"pthread_join", FUTEX_WAIT_BITSET, 999, {999}, 0, "thread the_lock"},
    {"sem_wait", BITSET_CALL, 0, {5, 0xffffffff, 77}, 0, "semaphore the_lock"},
    {NULL, FUTEX_LOCK_PI | PRIVATE, 0, {0x3fffffff, 0, 0, 0, 32}, 0x3fffffff,
     "priority-inheriting lock the_lock, held by 1073741823, which is no thread of this process"},
};

START_TEST(test_nonsense)
{
    set_scene(0, nonsense[_i].operation, nonsense[_i].value, nonsense[_i].function);
    memcpy(scene.words, nonsense[_i].words, sizeof scene.words);
    scene.object = "the_lock";
    struct wait *wait = find();
    ck_assert_uint_eq(wait->owner, WAIT_NOBODY);
    ck_assert_int_eq(wait->owner_tid, nonsense[_i].owner_tid);
    ck_assert_str_eq(wait->text, nonsense[_i].text);
}
END_TEST

START_TEST(test_unmapped)
{
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        set_scene(layouts[i].at, layouts[i].operation, layouts[i].value, layouts[i].function);
        scene.mapped = false;
        struct wait *wait = find();
        ck_assert_uint_eq(wait->owner, WAIT_NOBODY);
        ck_assert_int_eq(wait->owner_tid, 0);
        ck_assert_ptr_nonnull(wait->text);
        teardown();
    }
}
END_TEST

START_TEST(test_owned_by_itself)
{
    set_scene(0, MUTEX_CALL, "pthread_mutex_lock");
    memcpy(scene.words, (uint32_t[]){2, 0, 100, 1, 0}, 20);
    ck_assert_uint_eq(find()->owner, 0);
    ck_assert_str_eq(scene.waits[0].text, "mutex 0x7000, held by itself");
}
END_TEST

// In its PID namespace thread 2 is 7, and nobody is 102.
START_TEST(test_namespace)
{
    set_scene(0, MUTEX_CALL, "pthread_mutex_lock");
    for (size_t i = 0; i < THREADS; i++)
        scene.threads[i].inner_tid = 5 + (pid_t)i;
    memcpy(scene.words, (uint32_t[]){2, 0, 7, 1, 0}, 20);
    ck_assert_uint_eq(find()->owner, 2);
    ck_assert_int_eq(scene.waits[0].owner_tid, 102);
    teardown();
    scene.words[2] = 102; // what that is out here nobody knows
    ck_assert_uint_eq(find()->owner, WAIT_NOBODY);
    ck_assert_int_eq(scene.waits[0].owner_tid, 0);
}
END_TEST

// Memory shared between containers: thread 2 is 7 here, and perhaps 7 is another one elsewhere.
START_TEST(test_shared_in_a_namespace)
{
    set_scene(0, FUTEX_WAIT, 2, "pthread_mutex_lock");
    for (size_t i = 0; i < THREADS; i++)
        scene.threads[i].inner_tid = 5 + (pid_t)i;
    memcpy(scene.words, (uint32_t[]){2, 0, 7, 1, 0x80}, 20);
    ck_assert_uint_eq(find()->owner, 2);
    ck_assert(scene.waits[0].probable);
    ck_assert_str_eq(scene.waits[0].text, "mutex 0x7000, probably held by 102 \"thread\"");
    teardown();
    scene.words[2] = 5; // itself, or the main thread of the other container
    ck_assert_uint_eq(find()->owner, WAIT_NOBODY);
    ck_assert_str_eq(scene.waits[0].text, "mutex 0x7000");
}
END_TEST

START_TEST(test_shared_with_a_process_that_has_ended)
{
    set_scene(0, FUTEX_WAIT, 2, "pthread_mutex_lock");
    memcpy(scene.words, (uint32_t[]){2, 0, 4711, 1, 0x80}, 20);
    ck_assert_str_eq(find()->text, "mutex 0x7000, held by 4711, which has ended");
    ck_assert_int_eq(scene.waits[0].owner_tid, 4711);
}
END_TEST

// ---- the probable holder

static const struct {
    size_t at[THREADS]; // of which word of the stack the address is + 1; 0: nowhere
    bool condition;     // thread 1 waits for a condition
    size_t holder, frame;
} scans[] = {
    {{0, 0, 0, 0}, false, WAIT_NOBODY, WAIT_NOBODY},
    {{0, 6, 0, 0}, false, 1, 1},
    {{0, 6, 3, 0}, false, 2, 0},  // the innermost frame
    {{0, 6, 0, 7}, false, WAIT_NOBODY, WAIT_NOBODY}, // the same frame: as good as no answer
    {{6, 0, 0, 0}, false, WAIT_NOBODY, WAIT_NOBODY}, // only on the stack of the waiter
    {{0, 6, 0, 10}, true, 3, 2},  // a condition gives its lock back
    {{0, 6, 0, 0}, true, 1, 1},
};

START_TEST(test_probable_holder)
{
    set_scene(0, MUTEX_CALL, "my_lock");
    scene.words[0] = 2;
    for (size_t i = 0; i < THREADS; i++)
        if (scans[_i].at[i])
            scene.stacks[i][scans[_i].at[i] - 1] = LOCK;
    if (scans[_i].condition) {
        scene.threads[1].call = scene.threads[0].call;
        scene.threads[1].call.args[0] = LOCK + 48;
        scene.threads[1].call.sp = STACK * 2;
        scene.frames[1][1].name = "pthread_cond_wait";
    }
    struct wait *wait = find();
    ck_assert_uint_eq(wait->owner, scans[_i].holder);
    ck_assert_uint_eq(wait->owner_frame, scans[_i].frame);
    ck_assert_int_eq(wait->probable, scans[_i].holder != WAIT_NOBODY);
    bool rival = scans[_i].at[1] && scans[_i].at[2];
    ck_assert_int_eq(strstr(wait->text, " or one of 1 other") != NULL, rival);
}
END_TEST

START_TEST(test_only_whole_aligned_words)
{
    set_scene(0, MUTEX_CALL, "my_lock");
    scene.words[0] = 2;
    scene.stacks[1][4] = (uint64_t)LOCK << 32 | LOCK;
    memcpy((char *)scene.stacks[2] + 12, &(uint64_t){LOCK}, 8);
    scene.threads[3].stack_length = 7;
    ck_assert_uint_eq(find()->owner, WAIT_NOBODY);
}
END_TEST

// Another one that waits for the same lock has its address too, and does not have the lock. A
// running thread has one only where its stack was copied while it was held.
START_TEST(test_who_cannot_hold)
{
    set_scene(0, MUTEX_CALL, "my_lock");
    scene.words[0] = 2;
    scene.threads[1].call = scene.threads[0].call;
    scene.frames[1][1].name = "my_lock";
    scene.stacks[1][6] = scene.stacks[2][6] = LOCK;
    scene.threads[2].running = true;
    ck_assert_uint_eq(find()->owner, WAIT_NOBODY);
    teardown();
    scene.threads[2].stack_address = STACK * 3;
    ck_assert_uint_eq(find()->owner, 2);
    ck_assert_uint_eq(scene.waits[1].owner, 2);
}
END_TEST

// ---- hostile text

static void assert_inert(const char *text)
{
    for (; *text; text++)
        ck_assert_msg((unsigned char)*text >= 0x20 && *text != 0x7f, "%02x", (unsigned char)*text);
}

START_TEST(test_names)
{
    set_scene(0, MUTEX_CALL, "pthread_mutex_lock");
    memcpy(scene.words, (uint32_t[]){2, 0, 101, 1, 0}, 20);
    strcpy(scene.threads[1].comm, "\033]0;x\a\n\"y");
    scene.object = "lock\033[2J\r\n\xff";
    struct wait *wait = find();
    assert_inert(wait->text);
    assert_inert(wait->object_name);
    ck_assert_str_eq(wait->object_name, "lock\\x1b[2J\\x0d\\x0a\\xff");
    ck_assert_str_eq(wait->text, "mutex lock\\x1b[2J\\x0d\\x0a\\xff, held by 101 "
                                 "\"\\x1b]0;x\\x07\\x0a\"y\"");
}
END_TEST

START_TEST(test_object_offset)
{
    set_scene(16, BITSET_CALL, 0, "sem_wait");
    scene.object = "_ZN4base7workersE";
    ck_assert_str_eq(find()->object_name, "base::workers+0x10");
}
END_TEST

// Anything at all in memory and in the arguments.
START_TEST(test_random)
{
    static const char *const names[] = {
        NULL,       "pthread_mutex_lock", "pthread_rwlock_rdlock", "pthread_cond_wait", "sem_wait",
        "syscall",  "pthread_join",       "pthread_barrier_wait",  "my_lock",
        "__lll_lock_wait_private",
    };
    static const char *const files[] = {NULL, "/lib/libc.so.6", "/lib/ld-musl-x86_64.so.1"};
    static const uint32_t values[] = {0, 1, 2, 3, 16, 100, 101, 0x80000010, 0x80000065, UINT32_MAX};
    srandom(1);
    for (unsigned round = 0; round < 30000; round++) {
        set_scene((uint64_t)random() % 64 / 4 * 4, 0, 0, names[random() % 10]);
        scene.file = files[random() % 3];
        for (size_t i = 0; i < WORDS; i++)
            scene.words[i] = random() % 4 ? values[random() % 10] : (uint32_t)random();
        for (size_t i = 0; i < THREADS; i++) {
            struct wait_thread *thread = &scene.threads[i];
            thread->state = "RSDTtZX"[random() % 7];
            thread->running = thread->state == 'R';
            thread->starved = random() % 2;
            thread->call.number = random() % 3 ? SYS_futex : random() % 460 - 1;
            thread->call.args[0] = random() % 8 ? LOCK + (uint64_t)random() % 80 : UINT64_MAX;
            thread->call.args[1] = (uint64_t)random() % 512;
            for (size_t k = 2; k < 6; k++)
                thread->call.args[k] = random() % 2 ? values[random() % 10]
                                                    : LOCK + (uint64_t)random() % 64;
        }
        find();
        for (size_t i = 0; i < THREADS; i++) {
            ck_assert(scene.waits[i].owner == WAIT_NOBODY || scene.waits[i].owner < THREADS);
            assert_inert(scene.waits[i].text);
        }
        teardown();
    }
}
END_TEST

// Where a thread has put a time that it sleeps for, there is something else when it has run on.
START_TEST(time_on_the_stack)
{
    set_scene(0, 0, 0, NULL);
    scene.threads[0].call.number = SYS_nanosleep;
    scene.threads[0].call.args[0] = STACK + 16;
    scene.stacks[0][2] = 0;
    scene.stacks[0][3] = 20000;
    ck_assert_str_eq(find()->text, "nanosleep for 20us");
    scene.threads[0].call.args[0] = STACK + sizeof scene.stacks[0] - 8;
    ck_assert_str_eq(find()->text, "nanosleep");
}
END_TEST

// A monitor of Java, say, whose waiters wait for a condition variable of their own.
START_TEST(test_lock_made_of_a_condition_variable)
{
    set_scene(40, FUTEX_WAIT_BITSET | PRIVATE, 0, "pthread_cond_timedwait");
    ck_assert_int_eq(find()->kind, WAIT_CONDITION);
    wait_fini(&scene.waits[0]);
    scene.frames[0][2].name = "_ZN13ObjectMonitor5enterEP10JavaThread";
    const struct wait *wait = find();
    ck_assert_int_eq(wait->kind, WAIT_LOCK);
    ck_assert_str_eq(wait->object_kind, "Java monitor");
    ck_assert_uint_eq(wait->object, 0);
    ck_assert_uint_eq(wait->owner, WAIT_NOBODY);
}
END_TEST

Suite *suite_wait(void)
{
    Suite *suite = suite_create("wait");
    TCase *tcase = tcase_create("wait");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_layouts, 0, ARRAY_LENGTH(layouts));
    tcase_add_loop_test(tcase, test_nonsense, 0, ARRAY_LENGTH(nonsense));
    tcase_add_test(tcase, time_on_the_stack);
    tcase_add_test(tcase, test_unmapped);
    tcase_add_test(tcase, test_owned_by_itself);
    tcase_add_test(tcase, test_namespace);
    tcase_add_test(tcase, test_shared_in_a_namespace);
    tcase_add_test(tcase, test_shared_with_a_process_that_has_ended);
    tcase_add_loop_test(tcase, test_probable_holder, 0, ARRAY_LENGTH(scans));
    tcase_add_test(tcase, test_only_whole_aligned_words);
    tcase_add_test(tcase, test_who_cannot_hold);
    tcase_add_test(tcase, test_names);
    tcase_add_test(tcase, test_object_offset);
    tcase_add_test(tcase, test_random);
    tcase_add_test(tcase, test_lock_made_of_a_condition_variable);
    suite_add_tcase(suite, tcase);
    return suite;
}
