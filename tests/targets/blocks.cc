// SPDX-License-Identifier: MIT
// blocks THREADS COUNT [CHURNERS]: a process that knows its blocks. The main thread and each of
// THREADS others allocate objects of two classes and blocks of some sizes, which stay; CHURNERS
// threads allocate and free as fast as they can, in sizes that the others do not have. It prints
// the truth as a line of JSON and then "ready". It reads lines: at "stats" it prints what its
// allocator says, at "hold" the churners pause, at "go" they go on; it ends with its input.
//
// It is C too: built as that it has structs with the numbers of the classes, and no classes.
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HELD 1000      // objects that each churner holds all the time
#define SLOTS 4096     // blocks that churners take from each other
#define USABLES 256    // different usable sizes of the stable blocks
#define THREADS_MAX 1024

#ifdef __cplusplus
struct Base {
    virtual ~Base() {}
    long numbers[3];
};
struct Session : Base {
    char text[100];
};
struct Order : Base {
    char text[40];
};
struct Churn : Base {
    char text[200];
};
#define NEW(type) (new type())
#define DELETE(object) (delete (object))
#else
struct Session {
    void *none;
    long numbers[3];
    char text[100];
};
struct Order {
    void *none;
    long numbers[3];
    char text[40];
};
struct Churn {
    void *none;
    long numbers[3];
    char text[200];
};
#define NEW(type) ((struct type *)calloc(1, sizeof(struct type)))
#define DELETE(object) (free(object))
#endif

enum { SESSION, ORDER, S24, S100, S1000, S5000, S300000, ROWS };

static const struct {
    const char *name;
    size_t size;
    long part; // one in so many of COUNT; 0: one block
} rows[ROWS] = {
    {"Session", sizeof(struct Session), 1}, {"Order", sizeof(struct Order), 2}, {"24", 24, 1},
    {"100", 100, 1}, {"1000", 1000, 4}, {"5000", 5000, 16}, {"307200", 307200, 0},
};

static struct {
    pthread_mutex_t lock;
    long count[ROWS], usable_sum[ROWS];
    size_t usable[USABLES]; // sizes of stable blocks
    long blocks[USABLES];   // that have each
} truth = {PTHREAD_MUTEX_INITIALIZER, {0}, {0}, {0}, {0}};

static long threads, count, churners;
static uint16_t churn_sizes[2048]; // requests whose blocks are of no size of the stable ones
static size_t churn_size_count;
static void *slots[SLOTS];
static long operations[THREADS_MAX * 8]; // of each churner, in a cache line of its own
static int held, paused, begun;

// ---------------------------------------------------------------- stable blocks

static long count_of(int row)
{
    return rows[row].part ? count / rows[row].part : count > 0;
}

static void *make(int row)
{
    if (row == SESSION)
        return NEW(Session);
    if (row == ORDER)
        return NEW(Order);
    char *block = (char *)malloc(rows[row].size);
    if (!block)
        abort();
    if (row == S100)
        snprintf(block, rows[row].size, "a stable block of %zu bytes with a text", rows[row].size);
    else if (row == S300000)
        memset(block, 0x11, 8192); // the rest is never touched
    else
        memset(block, 0x11, rows[row].size);
    return block;
}

static void note(int row, void *block)
{
    size_t usable = malloc_usable_size(block);
    size_t at = 0;
    while (at < USABLES - 1 && truth.blocks[at] && truth.usable[at] != usable)
        at++;
    truth.usable[at] = usable;
    truth.blocks[at]++;
    truth.count[row]++;
    truth.usable_sum[row] += (long)usable;
}

// The pointers lie outside of the heap.
static void *make_stable(void *unused)
{
    long total = 0, made = 0;
    for (int row = 0; row < ROWS; row++)
        total += count_of(row);
    void **all = (void **)mmap(NULL, (size_t)(total + 1) * sizeof *all, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // Rows take turns, so that blocks of all sizes lie beside each other.
    for (long i = 0; i < count || i == 0; i++)
        for (int row = 0; row < ROWS; row++)
            if (i < count_of(row) * (rows[row].part ? rows[row].part : 1) &&
                i % (rows[row].part ? rows[row].part : 1) == 0 && made < total)
                all[made++] = make(row);
    pthread_mutex_lock(&truth.lock);
    made = 0;
    for (long i = 0; i < count || i == 0; i++)
        for (int row = 0; row < ROWS; row++)
            if (i < count_of(row) * (rows[row].part ? rows[row].part : 1) &&
                i % (rows[row].part ? rows[row].part : 1) == 0 && made < total)
                note(row, all[made++]);
    pthread_mutex_unlock(&truth.lock);
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    while (unused)
        pause();
    return NULL;
}

// ---------------------------------------------------------------- churn

// Allocators may give up to 48 bytes more than they would: such sizes are left out too.
static int is_stable(size_t usable)
{
    for (size_t at = 0; at < USABLES && truth.blocks[at]; at++)
        if (usable <= truth.usable[at] + 16 && usable + 64 >= truth.usable[at])
            return 1;
    struct Churn *like = NEW(Churn);
    size_t churn = malloc_usable_size(like);
    DELETE(like);
    return usable <= churn + 16 && usable + 64 >= churn;
}

static void choose_churn_sizes(void)
{
    for (size_t size = 16; size < 2000; size++) {
        void *block = malloc(size);
        if (!is_stable(malloc_usable_size(block)))
            churn_sizes[churn_size_count++] = (uint16_t)size;
        free(block);
    }
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

static size_t some_size(uint64_t *state)
{
    return churn_sizes[next(state) % churn_size_count];
}

// One of the ways to get a block.
static char *get(uint64_t *state)
{
    void *block = NULL;
    switch (next(state) & 7) {
    case 0:
        return (char *)calloc(1, some_size(state));
    case 1:
        block = malloc(some_size(state));
        return (char *)realloc(block, some_size(state));
    case 2:
        return posix_memalign(&block, 64, some_size(state)) ? NULL : (char *)block;
    default:
        return (char *)malloc(some_size(state));
    }
}

static void churn_once(uint64_t *state, struct Churn **mine)
{
    size_t size = some_size(state);
    for (int i = 0; i < 64; i++) { // the quick ones, most of all
        char *block = (char *)malloc(size);
        *(volatile char *)block = 1;
        free(block);
    }
    struct Churn **one = &mine[next(state) % HELD];
    DELETE(*one);
    *one = NEW(Churn);
    void *block = get(state);
    free(__atomic_exchange_n(&slots[next(state) % SLOTS], block, __ATOMIC_ACQ_REL));
}

static void wait_while_held(void)
{
    __atomic_add_fetch(&paused, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST))
        usleep(1000);
    __atomic_sub_fetch(&paused, 1, __ATOMIC_SEQ_CST);
}

static void *churn(void *argument)
{
    long number = (long)(intptr_t)argument;
    struct Churn **mine = (struct Churn **)mmap(NULL, HELD * sizeof *mine, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t state = (uint64_t)number * 7919 + 1;
    for (int i = 0; i < HELD; i++)
        mine[i] = NEW(Churn);
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        if (__atomic_load_n(&held, __ATOMIC_RELAXED))
            wait_while_held();
        churn_once(&state, mine);
        __atomic_add_fetch(&operations[number % THREADS_MAX * 8], 134, __ATOMIC_RELAXED);
    }
    return NULL;
}

// ---------------------------------------------------------------- what allocators say

typedef int mallctl_function(const char *, void *, size_t *, void *, size_t);
typedef int property_function(const char *, size_t *);
typedef void process_info_function(size_t *, size_t *, size_t *, size_t *, size_t *, size_t *,
                                   size_t *, size_t *);
typedef int malloc_info_function(int, FILE *);

static struct { // looked up before anything is counted, since that may allocate
    mallctl_function *mallctl;
    property_function *property;
    process_info_function *process_info;
    malloc_info_function *malloc_info;
    FILE *memory; // what malloc_info writes to
} calls;

static void *call_named(const char *name)
{
    void *call = dlsym(RTLD_DEFAULT, name);
    dlerror(); // what it says is freed by the next one
    dlerror();
    return call;
}

static void look_up_calls(void)
{
    calls.mallctl = (mallctl_function *)call_named("mallctl");
    calls.property = (property_function *)call_named("MallocExtension_GetNumericProperty");
    calls.process_info = (process_info_function *)call_named("mi_process_info");
    calls.malloc_info = (malloc_info_function *)call_named("malloc_info");
#ifdef __GLIBC__
    if (!calls.malloc_info)
        calls.malloc_info = malloc_info; // linked statically
    static char buffer[1 << 16];
    calls.memory = tmpfile();
    if (calls.memory)
        setvbuf(calls.memory, buffer, _IOFBF, sizeof buffer);
#endif
}

static void say_jemalloc(void)
{
    static const char *const names[] = {"stats.allocated", "stats.active",   "stats.metadata",
                                        "stats.resident",  "stats.mapped",   "stats.retained",
                                        "arenas.narenas",  "arenas.nbins"};
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    calls.mallctl("epoch", &epoch, &size, &epoch, sizeof epoch);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t value = 0;
        size = i < 6 ? sizeof value : sizeof(unsigned);
        if (calls.mallctl(names[i], &value, &size, NULL, 0) == 0)
            printf(", \"%s\": %zu", names[i], value);
    }
}

static void say_tcmalloc(void)
{
    static const char *const names[] = {
        "generic.current_allocated_bytes",      "generic.heap_size",
        "tcmalloc.pageheap_free_bytes",         "tcmalloc.pageheap_unmapped_bytes",
        "tcmalloc.current_total_thread_cache_bytes", "tcmalloc.central_cache_free_bytes",
        "tcmalloc.transfer_cache_free_bytes",   "tcmalloc.thread_cache_free_bytes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t value = 0;
        if (calls.property(names[i], &value))
            printf(", \"%s\": %zu", names[i], value);
    }
}

static void say_mimalloc(void)
{
    size_t values[8] = {0};
    calls.process_info(&values[0], &values[1], &values[2], &values[3], &values[4], &values[5],
                       &values[6], &values[7]);
    printf(", \"current_rss\": %zu, \"current_commit\": %zu", values[3], values[5]);
}

#ifdef __GLIBC__
static void say_malloc_info(void)
{
    rewind(calls.memory);
    if (ftruncate(fileno(calls.memory), 0) != 0 || calls.malloc_info(0, calls.memory) != 0)
        return;
    fflush(calls.memory);
    printf(", \"malloc_info\": \"");
    char letter;
    for (off_t at = 0; pread(fileno(calls.memory), &letter, 1, at) == 1; at++)
        if (letter == '\n')
            printf("\\n");
        else
            printf(letter == '"' ? "\\%c" : "%c", letter);
    printf("\"");
}

static void say_glibc(void)
{
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2(); // of the main arena
    printf(", \"arena\": %zu, \"ordblks\": %zu, \"smblks\": %zu, \"hblks\": %zu, "
           "\"hblkhd\": %zu, \"fsmblks\": %zu, \"uordblks\": %zu, \"fordblks\": %zu, "
           "\"keepcost\": %zu",
           info.arena, info.ordblks, info.smblks, info.hblks, info.hblkhd, info.fsmblks,
           info.uordblks, info.fordblks, info.keepcost);
#endif
    if (calls.memory && calls.malloc_info)
        say_malloc_info();
}
#endif

static void say_stats(void)
{
    long sum = 0;
    for (long i = 0; i < THREADS_MAX; i++)
        sum += __atomic_load_n(&operations[i * 8], __ATOMIC_RELAXED);
    printf("{\"operations\": %ld, \"allocator\": ", sum);
    if (calls.mallctl) {
        printf("\"jemalloc\"");
        say_jemalloc();
    } else if (calls.property) {
        printf("\"tcmalloc\"");
        say_tcmalloc();
    } else if (calls.process_info) {
        printf("\"mimalloc\"");
        say_mimalloc();
    } else {
#ifdef __GLIBC__
        printf("\"glibc\"");
        say_glibc();
#else
        printf("\"other\"");
#endif
    }
    printf("}\n");
    fflush(stdout);
}

// ---------------------------------------------------------------- what it prints

static void say_truth(void)
{
    printf("{\"pid\": %d, \"classes\": {\"Session\": %ld, \"Order\": %ld, \"Churn\": %ld}, "
           "\"sizes\": {",
           (int)getpid(), truth.count[SESSION], truth.count[ORDER], churners * HELD);
    for (int row = 0; row < ROWS; row++)
        printf("%s\"%s\": {\"size\": %zu, \"count\": %ld, \"usable\": %ld}", row ? ", " : "",
               rows[row].name, rows[row].size, truth.count[row], truth.usable_sum[row]);
    printf("}, \"usable\": {");
    for (size_t at = 0; at < USABLES && truth.blocks[at]; at++)
        printf("%s\"%zu\": %ld", at ? ", " : "", truth.usable[at], truth.blocks[at]);
    printf("}}\nready\n");
    fflush(stdout);
}

static void hold(int yes)
{
    __atomic_store_n(&held, yes, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&paused, __ATOMIC_SEQ_CST) != (yes ? churners : 0))
        usleep(1000);
    printf("%s\n", yes ? "held" : "goes on");
    fflush(stdout);
}

static void obey(void)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "stats\n") == 0)
            say_stats();
        if (strcmp(line, "hold\n") == 0 || strcmp(line, "go\n") == 0)
            hold(line[0] == 'h');
    }
}

static void start_threads(void *(*run)(void *), long number)
{
    int target = begun + (int)number;
    for (long i = 1; i <= number; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, (void *)(intptr_t)i) != 0)
            exit(1);
    }
    while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < target)
        usleep(1000);
}

int main(int argc, char **argv)
{
    static char input[4096], output[1 << 16];
    setvbuf(stdin, input, _IOFBF, sizeof input);
    setvbuf(stdout, output, _IOFBF, sizeof output);
    threads = argc > 1 ? atol(argv[1]) : 1;
    count = argc > 2 ? atol(argv[2]) : 1000;
    churners = argc > 3 ? atol(argv[3]) : 0;
    if (threads < 0 || threads + churners > THREADS_MAX || count < 0 || churners < 0)
        return 2;
    look_up_calls();
    make_stable(NULL);
    start_threads(make_stable, threads);
    choose_churn_sizes();
    start_threads(churn, churners);
    say_truth();
    obey();
    return 0;
}
