// SPDX-License-Identifier: MIT
// ELF files with DWARF, damaged. Most are read here, by what the symbol process runs, where the
// sanitizers see it and a fuzzer sees which edges an input reaches: libdw and libelf may die of
// them, our code may not. Some go through a symbol process: that may die, we may not, nor wait
// longer than we have patience for. Behind the first byte, which says whether the rest is such a
// file, a package of split units, or what a symbol process in the hands of somebody else would say.
#include "fuzz.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "symbol/reader/binary.h"
#include "symbol/reader/server.h"
#include "symbol/worker.h"

#define PATIENCE_MS 1000
#define ADDRESSES 128
#define PROCESS_EVERY 50 // one in so many goes through a process, which takes milliseconds
#define PROCESS_MAX 2000
#define HERE_SECONDS 3
#define ASKED 16

enum kind { FILE_ITSELF, MESSAGES, PACKAGE }; // the first byte

static void require(bool good)
{
    if (!good)
        abort();
}

static uint32_t texts; // announced

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length)
{
    (void)context;
    texts++;
    require(!memchr(raw, '\0', raw_length) && !memchr(shown, '\0', shown_length));
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    const size_t *asked = context;
    require(symbol->index < *asked && symbol->line_count && symbol->line_count <= WIRE_LINES_MAX);
    for (uint32_t i = 0; i < symbol->line_count; i++)
        require(lines[i].name <= texts && lines[i].file <= texts);
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    (void)context, (void)has_lines;
    require(!memchr(text, '\0', length));
}

static size_t asked;
static const struct wire_sink sink = {&asked, take_text, take_symbol, take_tried};

static void restarted(void *context)
{
    (void)context;
    texts = 0;
}

// --- read here

// What stands behind an address: a fault below libdw or libelf is theirs, though memcpy died of it.
static bool is_of_library(void)
{
    void *frames[64];
    int count = backtrace(frames, ARRAY_LENGTH(frames));
    for (int i = 3; i < count; i++) { // behind this, the handler and the signal's frame
        Dl_info info;
        if (!dladdr(frames[i], &info) || !info.dli_fname)
            continue;
        if (strstr(info.dli_fname, "/libdw") || strstr(info.dli_fname, "/libelf"))
            return true;
        if (strstr(info.dli_fname, "fuzz_dwarf"))
            return false;
    }
    return false;
}

static sigjmp_buf way_out;
static volatile sig_atomic_t reading, abandoned;

static void on_fault(int number)
{
    (void)number;
    if (reading && is_of_library()) {
        abandoned++;
        siglongjmp(way_out, 1);
    }
    abort();
}

// What an abandoned read had allocated is no leak of ours.
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return abandoned > 0;
}

static void watch_faults(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    static bool done;
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    for (size_t i = 0; i < ARRAY_LENGTH(faults) && !done; i++)
        sigaction(faults[i], &action, NULL);
    done = true;
}

static void take_answer(void *context, const void *message, size_t length)
{
    require(wire_take(context, message, length));
}

// Of a package that lies beside the file.
static const struct buf *package;

static int open_beside(void *context, const char *path)
{
    size_t length = strlen(path);
    (void)context;
    if (!package || length < 4 || strcmp(path + length - 4, ".dwp") != 0)
        return -1;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, package->data, package->length) == (ssize_t)package->length);
    return fd;
}

static void put_question(struct buf *out, struct wire_ask ask, const void *payload, size_t length)
{
    buf_clear(out);
    buf_append(out, &ask, sizeof ask);
    buf_append(out, payload, length);
}

static void read_here(const struct buf *file)
{
    struct wire_reader reader = {.sink = &sink, .asked = ADDRESSES};
    struct server_host host = {.context = &reader, .send = take_answer, .open = open_beside};
    struct server *server = server_new(&host);
    AUTO_BUF struct buf question = {0};
    uint64_t vaddrs[ADDRESSES];
    for (size_t i = 0; i < ADDRESSES; i++)
        vaddrs[i] = 0x1000 + i * 2;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, file->data, file->length) == (ssize_t)file->length);
    put_question(&question, (struct wire_ask){ASK_OPEN, 0, BINARY_ALL, 0}, "/fuzz\0", 7);
    server_answer(server, question.data, question.length, fd);
    require(reader.done);
    reader.done = false;
    put_question(&question, (struct wire_ask){ASK_FIND, 0, 0, ADDRESSES}, vaddrs, sizeof vaddrs);
    server_answer(server, question.data, question.length, -1);
    require(reader.done && reader.answered == ADDRESSES);
    server_free(server);
}

static void try_here(const struct buf *file)
{
    uint32_t before = texts;
    texts = 0;
    asked = ADDRESSES;
    watch_faults();
    reading = 1;
    if (sigsetjmp(way_out, 1) == 0) {
        alarm(HERE_SECONDS);
        read_here(file);
    }
    reading = 0;
    texts = before;
}

// --- read by a process

static int open_copy(void *context)
{
    const struct buf *bytes = context;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, bytes->data, bytes->length) == (ssize_t)bytes->length);
    return fd;
}

static struct worker *worker(void)
{
    static struct roots none;
    static struct worker *only;
    if (!only) {
        only = worker_new(&sink, restarted, &none);
        worker_isolate(only);
        worker_set_patience(only, PATIENCE_MS);
    }
    return only;
}

static void ask_about(const char *path, struct buf *file)
{
    uint64_t vaddrs[ADDRESSES];
    for (size_t i = 0; i < ADDRESSES; i++)
        vaddrs[i] = 0x1000 + i * 2; // where the linker puts the code of the seeds
    asked = ADDRESSES;
    worker_forget(worker(), 0);
    int64_t began = clock_now();
    enum rc rc = worker_ask(worker(), &(struct worker_question){.path = path,
                                                                .depth = BINARY_ALL,
                                                                .open = open_copy,
                                                                .context = file,
                                                                .vaddrs = vaddrs,
                                                                .count = ADDRESSES});
    require(rc == RC_OK || rc == RC_FAIL || rc == RC_TIMEOUT);
    require(clock_now() - began < 5 * (int64_t)PATIENCE_MS * NS_PER_MS);
}

// Of the files beside this program; the caller frees it.
static char *path_of(const char *name)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    require(length > 0);
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    return xasprintf("%s/seeds/%s", self, name);
}

static bool put_file(const char *name, struct buf *out)
{
    AUTO_BUF struct buf bytes = {0};
    AUTO_FREE char *path = path_of(name);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || buf_read_fd(&bytes, fd, 1 << 20) != RC_OK)
        return false;
    buf_append(out, bytes.data, bytes.length);
    return true;
}

// The program that packages belong to.
static struct buf *split_program(void)
{
    static struct buf program;
    require(program.length || put_file("split", &program));
    return &program;
}

// Lies where the one that belongs to the program would lie.
static void ask_with_package(const struct buf *bytes)
{
    AUTO_FREE char *path = path_of("fuzzed"), *place = path_of("fuzzed.dwp");
    AUTO_FILE FILE *file = fopen(place, "we");
    require(file && fwrite(bytes->data, 1, bytes->length, file) == bytes->length &&
            fflush(file) == 0);
    ask_about(path, split_program());
}

// --- messages

static void listen_to(const uint8_t *bytes, size_t length)
{
    struct wire_reader reader = {.sink = &sink, .asked = ASKED};
    uint32_t before = texts;
    texts = 0;
    asked = ASKED;
    wire_take(&reader, bytes, length);
    require(!reader.want || reader.want[0] == '/');
    free(reader.want);
    texts = before;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static unsigned files;
    if (!length)
        return 0;
    struct buf rest = {.data = (char *)(uintptr_t)bytes + 1, .length = length - 1};
    package = bytes[0] == PACKAGE ? &rest : NULL;
    if (bytes[0] == MESSAGES)
        listen_to(bytes + 1, length - 1);
    else if (files % PROCESS_EVERY || files / PROCESS_EVERY >= PROCESS_MAX)
        try_here(package ? split_program() : &rest);
    else if (package)
        ask_with_package(&rest);
    else
        ask_about("/fuzz", &rest);
    files += bytes[0] != MESSAGES;
    return 0;
}

// --- seeds

static void put_messages(struct buf *out)
{
    struct wire_text text = {4, 3};
    struct wire_symbol symbol = {.index = 3, .line_count = 2, .offset = 9};
    struct wire_line lines[] = {{1, 0, 5, 2}, {1, 1, 7, 0}};
    wire_put(out, RECORD_TEXT, &text, sizeof text, "_Z1fF()", 7);
    wire_put(out, RECORD_SYMBOL, &symbol, sizeof symbol, lines, sizeof lines);
    wire_put(out, RECORD_TRIED, "\1", 1, "/x: used", 8);
    wire_put(out, RECORD_WANT, "/usr/lib/debug/x", 16, NULL, 0);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const struct {
        const char *name;
        enum kind kind;
    } files[] = {
        {"dwarf5", FILE_ITSELF}, {"dwarf4", FILE_ITSELF}, {"zlib", FILE_ITSELF},
        {"split", FILE_ITSELF},  {"dwarf2", FILE_ITSELF}, {"mini", FILE_ITSELF},
        {"zstd", FILE_ITSELF},   {"split.dwp", PACKAGE},
    };
    if (number > ARRAY_LENGTH(files))
        return false;
    buf_putc(out, number < ARRAY_LENGTH(files) ? (char)files[number].kind : MESSAGES);
    if (number < ARRAY_LENGTH(files))
        return put_file(files[number].name, out);
    put_messages(out);
    return true;
}
