// SPDX-License-Identifier: MIT
#include "symbol/reader/header_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "reader/channel.h"
#include "reader/reader.h"
#include "symbol/header_wire.h"
#include "symbol/reader/objects.h"

static int channel; // to the main process

struct opened { // a file whose variables were asked for
    uint32_t number;
    struct image *image; // NULL: it is no ELF file
    struct objects *objects;
};

static struct {
    struct opened *list;
    size_t count, capacity;
} files;

static void answer(const void *message, size_t length)
{
    if (!channel_send(channel, message, length, -1))
        _exit(EXIT_SUCCESS); // the main process has ended
}

static void read_headers(int fd)
{
    struct header_answer told = {.rc = RC_FORMAT};
    struct image *image = NULL;
    struct err err = {0};
    told.rc = image_open(fd, &image, &err);
    memcpy(told.problem, err.text, strnlen(err.text, sizeof told.problem - 1));
    if (image)
        told.headers = image->headers;
    answer(&told, sizeof told);
    for (uint32_t at = 0; at < told.headers.segment_count; at += SEGMENTS_AT_ONCE) {
        uint32_t left = told.headers.segment_count - at;
        uint32_t count = left < SEGMENTS_AT_ONCE ? left : SEGMENTS_AT_ONCE;
        answer(image->segments + at, count * sizeof *image->segments);
    }
    image_free(image);
}

static const struct opened *opened_of(uint32_t number, int fd)
{
    for (size_t i = 0; i < files.count; i++)
        if (files.list[i].number == number)
            return &files.list[i];
    if (fd < 0)
        return NULL;
    ARRAY_RESERVE(files.list, files.count, files.capacity);
    struct opened *opened = &files.list[files.count++];
    *opened = (struct opened){.number = number};
    if (image_open(fd, &opened->image, NULL) == RC_OK)
        opened->objects = objects_new(opened->image);
    return opened;
}

static void find_object(const struct header_question *question, int fd)
{
    struct object_answer told = {.state = OBJECT_NONE};
    const struct opened *opened = opened_of(question->number, fd);
    const struct object *object = NULL;
    if (!opened)
        told.state = OBJECT_UNOPENED;
    else if (opened->objects && question->kind == HEADER_NAMED)
        object = objects_named(opened->objects, question->name);
    else if (opened->objects)
        object = objects_find(opened->objects, question->address);
    if (object && strlen(object->name) < sizeof told.name) {
        told.state = OBJECT_FOUND;
        told.size = object->size;
        told.offset = question->kind == HEADER_NAMED ? object->address
                                                     : question->address - object->address;
        strcpy(told.name, object->name);
    }
    answer(&told, offsetof(struct object_answer, name) + strlen(told.name) + 1);
}

void header_server_run(int own_channel)
{
    struct header_question question;
    channel = own_channel;
    prctl(PR_SET_NAME, "ptprof-headers");
    reader_give_up_rights(
        (struct sandbox_needs){.descriptor = channel, .cpu_seconds = RLIM_INFINITY});
    for (;;) {
        int fd = -1;
        if (channel_receive(channel, &question, sizeof question, &fd) != sizeof question)
            _exit(EXIT_SUCCESS);
        question.name[sizeof question.name - 1] = '\0';
        if (question.kind == HEADER_READ)
            read_headers(fd);
        else
            find_object(&question, fd);
    }
}
