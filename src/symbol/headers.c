// SPDX-License-Identifier: MIT
#include "symbol/headers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "reader/channel.h"
#include "reader/memory_reader.h"
#include "reader/reader.h"
#include "symbol/header_wire.h"
#include "symbol/reader/header_server.h"

#define PATIENCE_MS 2000 // the same as for one read of a file

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // guards everything below
static struct reader_process reader;
static unsigned users;

static const struct reader_service service = {.serve = header_server_run};

// The process runs like the thread that asks.
static bool ask(const struct header_question *question, const struct image *image)
{
    AUTO_FD int fd = image ? image_reopen(image) : -1;
    if ((image && fd < 0) || reader_start(&reader, &service, PATIENCE_MS) != RC_OK)
        return false;
    thread_lead(reader.pid);
    return channel_send(reader.channel, question, sizeof *question, fd);
}

// --- headers

static bool are_sound(const struct image_headers *headers)
{
    const char *name = headers->link.name;
    return headers->segment_count <= SEGMENTS_MAX && headers->build_id_length <= BUILD_ID_MAX &&
           memchr(name, '\0', sizeof headers->link.name) && name[0] != '.' && !strchr(name, '/');
}

static bool take_segments(struct image *image, int64_t given_up)
{
    size_t count = image->headers.segment_count;
    image->segments = xcalloc(count + 1, sizeof *image->segments);
    for (size_t at = 0; at < count;) {
        struct segment some[SEGMENTS_AT_ONCE];
        size_t got = reader_hear(&reader, some, sizeof some, given_up) / sizeof *some;
        if (!got || got > count - at)
            return false;
        memcpy(image->segments + at, some, got * sizeof *some);
        at += got;
    }
    return true;
}

static enum rc take_headers(struct image *image, bool *sound, struct err *err)
{
    int64_t given_up = clock_now() + PATIENCE_MS * NS_PER_MS;
    struct header_answer told;
    *sound = reader_hear(&reader, &told, sizeof told, given_up) == sizeof told;
    if (!*sound)
        return RC_OK;
    if (told.rc != RC_OK) {
        told.problem[sizeof told.problem - 1] = '\0';
        return err_set(err, RC_FORMAT, "%s", told.problem);
    }
    *sound = are_sound(&told.headers);
    if (*sound)
        image->headers = told.headers;
    *sound = *sound && take_segments(image, given_up);
    return RC_OK;
}

static enum rc describe(struct image *image, struct err *err)
{
    const struct header_question question = {.kind = HEADER_READ};
    bool sound = false;
    enum rc rc = RC_OK;
    pthread_mutex_lock(&lock);
    if (ask(&question, image))
        rc = take_headers(image, &sound, err);
    if (!sound)
        reader_end(&reader);
    pthread_mutex_unlock(&lock);
    return sound ? rc : err_set(err, RC_FORMAT, "the process that reads its headers died of it");
}

void headers_isolate(void)
{
    pthread_mutex_lock(&lock);
    if (!users++ && reader_start(&reader, &service, PATIENCE_MS) == RC_OK) {
        image_describe_by(describe);
        memory_image_build_by(memory_reader_build);
    }
    pthread_mutex_unlock(&lock);
}

void headers_end(void)
{
    pthread_mutex_lock(&lock);
    if (!--users) {
        image_describe_by(NULL);
        memory_image_build_by(NULL);
        reader_end(&reader);
    }
    pthread_mutex_unlock(&lock);
}

int headers_pid(void)
{
    return reader.pid;
}

// --- variables

static bool is_sound(struct object_answer *told, size_t length)
{
    size_t head = offsetof(struct object_answer, name);
    if (length <= head || length > sizeof *told || told->state > OBJECT_UNOPENED)
        return false;
    told->name[length - head - 1] = '\0';
    return true;
}

// Returns false when the process has not answered as it should.
static bool ask_object(const struct header_question *question, const struct image *image,
                       struct object_answer *told)
{
    int64_t given_up = clock_now() + PATIENCE_MS * NS_PER_MS;
    return ask(question, image) &&
           is_sound(told, reader_hear(&reader, told, sizeof *told, given_up));
}

// Returns the answer to a question about a file's variables; NULL when there is no such variable.
static const struct object_answer *answer_to(const struct header_question *question,
                                             const struct image *image)
{
    static struct object_answer told;
    pthread_mutex_lock(&lock);
    bool sound = ask_object(question, NULL, &told);
    if (sound && told.state == OBJECT_UNOPENED)
        sound = ask_object(question, image, &told);
    if (!sound)
        reader_end(&reader);
    pthread_mutex_unlock(&lock);
    return sound && told.state == OBJECT_FOUND ? &told : NULL;
}

const char *headers_object(struct space *space, uint64_t address, uint64_t *offset)
{
    const struct area *area = areas_find_module(space_areas(space), address);
    const struct module *module = area ? area->mapping->module : NULL;
    if (!module)
        return NULL;
    const struct header_question question = {HEADER_OBJECT, module->id, address - area->bias, ""};
    const struct object_answer *told = answer_to(&question, module->image);
    if (told)
        *offset = told->offset;
    return told ? told->name : NULL;
}

bool headers_variable(const struct area *area, const char *name, uint64_t *address, uint64_t *size)
{
    const struct module *module = area->mapping->module;
    struct header_question question = {HEADER_NAMED, module->id, 0, ""};
    if (!module->image || strlen(name) >= sizeof question.name)
        return false;
    strcpy(question.name, name);
    const struct object_answer *told = answer_to(&question, module->image);
    if (!told)
        return false;
    *address = told->offset + area->bias;
    *size = told->size;
    return true;
}
