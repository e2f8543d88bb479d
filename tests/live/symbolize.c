// SPDX-License-Identifier: MIT
// symbolize FILE: names link-time addresses (hexadecimal, one a line of standard input) through the
// symbol process, and prints them as `addr2line -a -i -f -C` does. Where debug information was
// looked for goes to standard error.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/reader/binary.h"
#include "symbol/worker.h"

struct answers {
    char **names, **shown; // of texts, [number - 1]
    size_t count, capacity, shown_capacity;
    const uint64_t *vaddrs; // of the question
};

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length)
{
    struct answers *answers = context;
    ARRAY_RESERVE(answers->names, answers->count, answers->capacity);
    ARRAY_RESERVE(answers->shown, answers->count, answers->shown_capacity);
    answers->names[answers->count] = xstrndup(raw, raw_length);
    answers->shown[answers->count++] =
        shown_length ? xstrndup(shown, shown_length) : xstrndup(raw, raw_length);
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    const struct answers *answers = context;
    printf("0x%016" PRIx64 "\n", answers->vaddrs[symbol->index]);
    for (uint32_t i = 0; i < symbol->line_count; i++)
        printf("%s\n%s:%u\n", lines[i].name ? answers->shown[lines[i].name - 1] : "??",
               lines[i].file ? answers->names[lines[i].file - 1] : "??", lines[i].line);
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    (void)context;
    fprintf(stderr, "%s%.*s", has_lines ? "lines\n" : "", (int)length, text);
}

static void forget_texts(void *context)
{
    struct answers *answers = context;
    for (size_t i = 0; i < answers->count; i++) {
        free(answers->names[i]);
        free(answers->shown[i]);
    }
    answers->count = 0;
}

// As the symbolizer does.
static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int open_file(void *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

int main(int argc, char **argv)
{
    struct answers answers = {0};
    struct roots roots = {0};
    struct wire_sink sink = {&answers, take_text, take_symbol, take_tried};
    struct worker *worker = worker_new(&sink, forget_texts, &roots);
    size_t count = 0, capacity = 0;
    AUTO_FREE uint64_t *vaddrs = NULL;
    uint64_t vaddr;
    enum rc rc = RC_OK;
    if (argc != 2)
        return EXIT_FAILURE;
    while (scanf("%" SCNx64, &vaddr) == 1) {
        ARRAY_RESERVE(vaddrs, count, capacity);
        vaddrs[count++] = vaddr;
    }
    if (count)
        qsort(vaddrs, count, sizeof *vaddrs, compare);
    answers.vaddrs = vaddrs;
    worker_isolate(worker);
    while (count && rc == RC_OK) {
        size_t some = count < WIRE_FIND_MAX ? count : WIRE_FIND_MAX;
        rc = worker_ask(worker, &(struct worker_question){.path = argv[1],
                                                          .depth = BINARY_ALL,
                                                          .open = open_file,
                                                          .context = argv[1],
                                                          .vaddrs = answers.vaddrs,
                                                          .count = some});
        answers.vaddrs += some;
        count -= some;
    }
    worker_free(worker);
    forget_texts(&answers);
    free(answers.names);
    free(answers.shown);
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
