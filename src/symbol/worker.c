// SPDX-License-Identifier: MIT
#include "symbol/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "reader/channel.h"
#include "reader/reader.h"
#include "symbol/reader/server.h"

#define PATIENCE_MS 60000
#define CANCEL_MS 50    // after at most this time a cancelled question is given up
#define CPU_SECONDS 300
#define OPENS_MAX 20000 // files for which one question may ask

struct worker {
    const struct wire_sink *sink;
    void (*restarted)(void *context);
    struct roots *roots;
    bool isolated;
    atomic_bool hurried;
    int patience_ms;
    void (*serve)(int channel);
    atomic_bool cancelled;
    _Atomic int64_t deadline; // CLOCK_MONOTONIC ns, 0: none
    struct server *server; // used instead of the process without isolation
    struct reader_process reader;
    struct map opened;           // module -> depth it was opened with, + 1; 0: not opened
    struct wire_reader *reading; // state of the answer that is being received
    bool broken;                 // that answer violates the protocol
    uint32_t text_count;         // texts received from this process
    char *message;               // WIRE_MESSAGE_MAX bytes
};

struct worker *worker_new(const struct wire_sink *sink, void (*restarted)(void *context),
                          struct roots *roots)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->sink = sink;
    worker->restarted = restarted;
    worker->roots = roots;
    worker->patience_ms = PATIENCE_MS;
    worker->serve = worker_serve;
    worker->message = xmalloc(WIRE_MESSAGE_MAX);
    return worker;
}

static void end_process(struct worker *worker)
{
    if (!worker->reader.pid)
        return;
    reader_end(&worker->reader);
    worker->text_count = 0;
    map_clear(&worker->opened);
    worker->restarted(worker->sink->context);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    end_process(worker);
    server_free(worker->server);
    map_fini(&worker->opened);
    free(worker->message);
    free(worker);
}

void worker_isolate(struct worker *worker)
{
    worker->isolated = true;
}

void worker_set_patience(struct worker *worker, int milliseconds)
{
    worker->patience_ms = milliseconds;
}

void worker_set_service(struct worker *worker, void (*serve)(int channel))
{
    worker->serve = serve;
}

void worker_cancel(struct worker *worker)
{
    atomic_store(&worker->cancelled, true);
}

// Without the privilege to lower a nice value, a process that runs already keeps its own.
void worker_hurry(struct worker *worker)
{
    pid_t pid = atomic_load(&worker->reader.pid);
    atomic_store(&worker->hurried, true);
    if (pid)
        setpriority(PRIO_PROCESS, (id_t)pid, 0);
}

void worker_set_deadline(struct worker *worker, int64_t moment)
{
    atomic_store(&worker->deadline, moment);
}

static bool is_over(const struct worker *worker)
{
    int64_t deadline = atomic_load(&worker->deadline);
    return atomic_load(&worker->cancelled) || (deadline && clock_now() >= deadline);
}

int worker_pid(const struct worker *worker)
{
    return worker->reader.pid;
}

void worker_forget(struct worker *worker, uint32_t module)
{
    map_put(&worker->opened, module, 0);
}

// --- in the symbol process

static int child_channel;

static void child_send(void *context, const void *message, size_t length)
{
    (void)context;
    if (!channel_send(child_channel, message, length, -1))
        _exit(EXIT_FAILURE);
}

// Asks the main process for a file. A signal handler inside libdw may call it: it must not
// allocate.
static int child_open(const char *path)
{
    char message[sizeof(struct wire_record) + 4096];
    struct wire_record record = {RECORD_WANT, (uint32_t)strnlen(path, 4096)};
    char answer;
    int fd = -1;
    if (path[0] != '/' || record.length >= 4096)
        return -1;
    memcpy(message, &record, sizeof record);
    memcpy(message + sizeof record, path, record.length);
    child_send(NULL, message, sizeof record + record.length);
    if (channel_receive(child_channel, &answer, sizeof answer, &fd) <= 0)
        _exit(EXIT_FAILURE);
    return fd < 0 && answer == 'h' ? ROOTS_HUNG : fd;
}

static int child_open_for_server(void *context, const char *path)
{
    (void)context;
    return child_open(path);
}

void worker_serve(int channel)
{
    const struct server_host host = {.send = child_send, .open = child_open_for_server};
    child_channel = channel;
    prctl(PR_SET_NAME, "ptprof-names");
    reader_give_up_rights((struct sandbox_needs){
        .descriptor = channel, .cpu_seconds = CPU_SECONDS, .open = child_open});
    struct server *server = server_new(&host);
    char *message = xmalloc(WIRE_MESSAGE_MAX);
    for (;;) {
        int fd = -1;
        ssize_t length = channel_receive(channel, message, WIRE_MESSAGE_MAX, &fd);
        if (length <= 0)
            _exit(EXIT_SUCCESS);
        server_answer(server, message, (size_t)length, fd);
    }
}

// --- in the main process

enum rc worker_start(struct worker *worker)
{
    const struct reader_service service = {
        .serve = worker->serve,
        .begin = worker->hurried ? thread_come_late : thread_come_last,
    };
    return reader_start(&worker->reader, &service, worker->patience_ms);
}

static bool send_wanted(struct worker *worker, struct wire_reader *reader)
{
    AUTO_FREE char *path = reader->want;
    AUTO_FD int fd = roots_open(worker->roots, path);
    reader->want = NULL;
    return channel_send(worker->reader.channel, fd == ROOTS_HUNG ? "h" : "", 1, fd);
}

static enum rc take_message(struct worker *worker, struct wire_reader *reader)
{
    ssize_t length =
        channel_receive(worker->reader.channel, worker->message, WIRE_MESSAGE_MAX, NULL);
    if (length <= 0)
        return RC_FAIL;
    bool good = wire_take(reader, worker->message, (size_t)length);
    worker->text_count = reader->text_count;
    if (!good) {
        free(reader->want);
        return RC_FORMAT;
    }
    return !reader->want || send_wanted(worker, reader) ? RC_OK : RC_FAIL;
}

static enum rc take_answer(struct worker *worker, struct wire_reader *reader, int64_t deadline)
{
    for (unsigned opens = 0; !reader->done;) {
        struct pollfd channel = {.fd = worker->reader.channel, .events = POLLIN};
        int64_t left_ms = (deadline - clock_now()) / NS_PER_MS;
        if (left_ms <= 0 || opens > OPENS_MAX || is_over(worker))
            return RC_TIMEOUT;
        int ready = poll(&channel, 1, (int)(left_ms < CANCEL_MS ? left_ms : CANCEL_MS));
        if (ready < 0 && errno != EINTR)
            return RC_FAIL;
        if (ready <= 0)
            continue;
        enum rc rc = take_message(worker, reader);
        if (rc != RC_OK)
            return rc;
        opens++;
    }
    return RC_OK;
}

static enum rc ask_process(struct worker *worker, const struct buf *message, int fd,
                           struct wire_reader *reader, int64_t deadline)
{
    enum rc rc = worker_start(worker);
    if (rc == RC_OK && !channel_send(worker->reader.channel, message->data, message->length, fd))
        rc = RC_FAIL;
    return rc == RC_OK ? take_answer(worker, reader, deadline) : rc;
}

// --- in place

static void place_take(void *context, const void *message, size_t length)
{
    struct worker *worker = context;
    worker->broken |= !wire_take(worker->reading, message, length);
}

static int place_open(void *context, const char *path)
{
    const struct worker *worker = context;
    return roots_open(worker->roots, path);
}

static enum rc ask_in_place(struct worker *worker, const struct buf *message, int fd,
                            struct wire_reader *reader)
{
    if (!worker->server)
        worker->server = server_new(&(struct server_host){worker, place_take, place_open});
    worker->reading = reader;
    worker->broken = false;
    server_answer(worker->server, message->data, message->length, fd >= 0 ? dup(fd) : -1);
    worker->text_count = reader->text_count;
    return worker->broken ? RC_FORMAT : RC_OK;
}

// --- both

static enum rc ask(struct worker *worker, const struct buf *message, size_t asked, int fd,
                   int64_t deadline)
{
    struct wire_reader reader = {
        .sink = worker->sink,
        .text_count = worker->text_count,
        .asked = (uint32_t)asked,
    };
    if (!worker->isolated)
        return ask_in_place(worker, message, fd, &reader);
    enum rc rc = ask_process(worker, message, fd, &reader, deadline);
    if (rc != RC_OK)
        end_process(worker);
    return rc;
}

static enum rc open_module(struct worker *worker, const struct worker_question *question,
                           int64_t deadline)
{
    AUTO_FD int fd = question->open(question->context);
    AUTO_BUF struct buf message = {0};
    struct wire_ask head = {ASK_OPEN, question->module, question->depth, 0};
    const char *extra = question->extra ? question->extra : "";
    if (fd < 0)
        return RC_IO;
    buf_append(&message, &head, sizeof head);
    buf_append(&message, question->path, strlen(question->path) + 1);
    buf_append(&message, extra, strlen(extra) + 1);
    enum rc rc = ask(worker, &message, 0, fd, deadline);
    if (rc == RC_OK)
        map_put(&worker->opened, question->module, question->depth + 1);
    return rc;
}

enum rc worker_ask(struct worker *worker, const struct worker_question *question)
{
    AUTO_BUF struct buf message = {0};
    int64_t deadline = clock_now() + (int64_t)worker->patience_ms * NS_PER_MS;
    enum rc rc = RC_OK;
    if (is_over(worker))
        return RC_TIMEOUT;
    if (map_get(&worker->opened, question->module, 0) != question->depth + 1)
        rc = open_module(worker, question, deadline);
    struct wire_ask head = {ASK_FIND, question->module, 0, (uint32_t)question->count};
    buf_append(&message, &head, sizeof head);
    buf_append(&message, question->vaddrs, question->count * sizeof *question->vaddrs);
    return rc == RC_OK ? ask(worker, &message, question->count, -1, deadline) : rc;
}
