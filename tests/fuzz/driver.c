// SPDX-License-Identifier: MIT
// Stands in for libFuzzer (which takes the other files here without this one): changes the seeds at
// random, always in the same way.
//
//     fuzz_NAME [RUNS]     so many inputs; else $FUZZ_RUNS, else 20000
//     fuzz_NAME FILE       that one input
//
// The input at which a program dies is kept in fuzz_NAME.crash beside it.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "base/mem.h"
#include "fuzz.h"

#define RUNS 20000
#define SEEDS_MAX 16
#define LENGTH_MAX (128u << 10)
#define SECONDS_MAX 20 // of one input

static uint64_t state = 20251121; // of xorshift64
static struct buf input;
static unsigned long run;
static char *crash_path;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (state >> 11) % below : 0;
}

// --- changes, each at a place drawn anew

static void flip_bit(struct buf *bytes)
{
    bytes->data[draw(bytes->length)] ^= (char)(1u << draw(8));
}

static void set_byte(struct buf *bytes)
{
    static const unsigned char special[] = {0, 1, 0x7f, 0x80, 0xff, '\n', ' ', '%', '\\'};
    bytes->data[draw(bytes->length)] =
        (char)(draw(2) ? special[draw(sizeof special)] : draw(256));
}

// The numbers at which arithmetic goes wrong, 2, 4 or 8 bytes long.
static void set_number(struct buf *bytes)
{
    static const uint64_t special[] = {0, 1, 16, 0x7f, 0xff, 0x1000, 0x7fffffff, 0x80000000,
                                       0xffffffff, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
    size_t length = 2u << draw(3);
    uint64_t number = special[draw(ARRAY_LENGTH(special))] + draw(3) - 1;
    if (bytes->length >= length)
        memcpy(bytes->data + draw(bytes->length - length + 1), &number, length);
}

static void cut(struct buf *bytes)
{
    bytes->length = draw(bytes->length);
}

static void remove_part(struct buf *bytes)
{
    size_t at = draw(bytes->length), length = 1 + draw(16);
    if (length > bytes->length - at)
        length = bytes->length - at;
    memmove(bytes->data + at, bytes->data + at + length, bytes->length - at - length);
    bytes->length -= length;
}

static void repeat_part(struct buf *bytes)
{
    size_t at = draw(bytes->length), length = 1 + draw(bytes->length - at);
    if (bytes->length + length > LENGTH_MAX)
        return;
    buf_reserve(bytes, length);
    memmove(bytes->data + at + length, bytes->data + at, bytes->length - at);
    bytes->length += length;
}

static void copy_part(struct buf *bytes)
{
    size_t from = draw(bytes->length), to = draw(bytes->length), length = 1 + draw(64);
    size_t last = from > to ? from : to;
    if (length > bytes->length - last)
        length = bytes->length - last;
    memmove(bytes->data + to, bytes->data + from, length);
}

static void (*const changes[])(struct buf *) = {
    flip_bit, flip_bit, set_byte, set_byte, set_number, set_number, set_number,
    cut,      remove_part, repeat_part, copy_part,
};

// Few changes mostly, so that what is behind the first checks is reached; sometimes many.
static void change(struct buf *bytes)
{
    uint64_t count = draw(8) ? 1 + draw(4) : draw(200);
    for (uint64_t i = 0; i < count && bytes->length; i++)
        changes[draw(ARRAY_LENGTH(changes))](bytes);
}

// --- one input

static void keep_input(void)
{
    char text[64];
    int length = snprintf(text, sizeof text, "fuzz: died in run %lu\n", run);
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t ignored = write(fd, input.data, input.length);
    ignored = write(STDERR_FILENO, text, (size_t)length);
    (void)ignored;
}

static _Noreturn void too_long(int number)
{
    (void)number;
    abort();
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1:allocator_may_return_null=1:hard_rss_limit_mb=2048";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}

static void try_input(void)
{
    // A copy of exact size, so that the sanitizers see every read beyond it.
    AUTO_FREE uint8_t *bytes = xmalloc(input.length);
    if (input.length)
        memcpy(bytes, input.data, input.length);
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(bytes, input.length);
    alarm(0);
}

static void run_seeds(const struct buf *seeds, size_t count, unsigned long runs)
{
    for (run = 0; run < runs; run++) {
        const struct buf *seed = &seeds[run % count];
        buf_clear(&input);
        buf_append(&input, seed->data, seed->length);
        if (run >= count) // each as it is, first
            change(&input);
        try_input();
    }
}

static int run_file(const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || buf_read_fd(&input, fd, 1 << 30) != RC_OK) {
        perror(path);
        return EXIT_FAILURE;
    }
    try_input();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct buf seeds[SEEDS_MAX] = {0};
    size_t count = 0;
    const char *wanted = argc > 1 ? argv[1] : getenv("FUZZ_RUNS");
    char *end = "";
    unsigned long runs = wanted ? strtoul(wanted, &end, 10) : RUNS;
    crash_path = xasprintf("%s.crash", argv[0]);
    __sanitizer_set_death_callback(keep_input);
    signal(SIGALRM, too_long);
    if (*end)
        return run_file(wanted);
    while (count < SEEDS_MAX && fuzz_seed(count, &seeds[count]))
        count++;
    run_seeds(seeds, count, runs);
    printf("%s: %lu runs\n", strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], runs);
    for (size_t i = 0; i < count; i++)
        buf_fini(&seeds[i]);
    buf_fini(&input);
    free(crash_path);
    return EXIT_SUCCESS;
}
