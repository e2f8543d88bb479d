// SPDX-License-Identifier: MIT
#include "commands/yaml_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

struct yaml_key {
    char *path;
    unsigned line;
};

struct yaml_reading {
    yaml_parser_t parser;
    yaml_event_t event; // the last one
    const char *name;   // of the file, escaped
    yaml_visitor visit;
    void *context;
    struct yaml_key keys[YAML_KEYS_MOST]; // all that came
    size_t key_count, text_count;
    unsigned depth;
    struct err *err;
};

static enum rc refuse(const struct yaml_reading *reading, const yaml_mark_t *at, const char *what)
{
    return err_set(reading->err, RC_USAGE, "%s:%zu:%zu: %s", reading->name, at->line + 1,
                   at->column + 1, what);
}

static enum rc refuse_event(const struct yaml_reading *reading, const char *what)
{
    return refuse(reading, &reading->event.start_mark, what);
}

// --- events ---

static bool is_tagged(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag;
    case YAML_DOCUMENT_START_EVENT:
        return event->data.document_start.tag_directives.start !=
               event->data.document_start.tag_directives.end;
    default:
        return false;
    }
}

static bool is_anchored(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return false;
    }
}

static enum rc next(struct yaml_reading *reading)
{
    yaml_event_delete(&reading->event);
    if (!yaml_parser_parse(&reading->parser, &reading->event)) {
        memset(&reading->event, 0, sizeof reading->event);
        yaml_mark_t at = reading->parser.problem_mark;
        const char *problem = reading->parser.problem;
        return refuse(reading, &at, problem ? problem : "this is no YAML");
    }
    if (is_anchored(&reading->event))
        return refuse_event(reading, "anchors and aliases (& and *) are not taken; a text that "
                                     "begins with them stands between quotes");
    if (is_tagged(&reading->event))
        return refuse_event(reading, "tags (!) are not taken; a text that begins with one stands "
                                     "between quotes");
    return RC_OK;
}

// --- values ---

static enum rc add_text(struct yaml_reading *reading, struct text_list *values)
{
    const yaml_event_t *event = &reading->event;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const char *text = (const char *)event->data.scalar.value;
    if (plain && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
        return refuse_event(reading, "the value is missing");
    if (++reading->text_count > YAML_TEXTS_MOST)
        return refuse_event(reading, "there is too much in this file");
    text_list_add(values, xstrdup(text));
    return RC_OK;
}

static void free_texts(struct text_list *values)
{
    for (size_t i = 0; i < values->count; i++)
        free((char *)values->texts[i]);
    text_list_fini(values);
}

static enum rc take_list(struct yaml_reading *reading, struct text_list *values)
{
    enum rc rc;
    while ((rc = next(reading)) == RC_OK && reading->event.type == YAML_SCALAR_EVENT)
        if ((rc = add_text(reading, values)) != RC_OK)
            return rc;
    if (rc == RC_OK && reading->event.type != YAML_SEQUENCE_END_EVENT)
        rc = refuse_event(reading, "a list consists of texts");
    return rc;
}

static enum rc take_values(struct yaml_reading *reading, const char *path, yaml_mark_t at)
{
    struct text_list values = {0};
    struct err reason = {0};
    enum rc rc = reading->event.type == YAML_SCALAR_EVENT ? add_text(reading, &values)
                                                          : take_list(reading, &values);
    if (rc == RC_OK) {
        const struct yaml_entry entry = {path, &values, (unsigned)at.line + 1};
        rc = reading->visit(reading->context, &entry, &reason);
        if (rc != RC_OK)
            refuse(reading, &at, reason.text);
    }
    free_texts(&values);
    return rc;
}

// --- keys ---

static enum rc note_key(struct yaml_reading *reading, const char *path)
{
    unsigned line = (unsigned)reading->event.start_mark.line + 1;
    AUTO_FREE char *shown = escape_text_dup(path);
    for (size_t i = 0; i < reading->key_count; i++)
        if (strcmp(reading->keys[i].path, path) == 0) {
            AUTO_FREE char *text = xasprintf("%s comes a second time; the first one is in line %u",
                                             shown, reading->keys[i].line);
            return refuse_event(reading, text);
        }
    if (reading->key_count == YAML_KEYS_MOST)
        return refuse_event(reading, "there are too many keys in this file");
    reading->keys[reading->key_count++] = (struct yaml_key){xstrdup(path), line};
    return RC_OK;
}

static enum rc take_mapping(struct yaml_reading *reading, const char *above);

static enum rc take_value(struct yaml_reading *reading, const char *path, yaml_mark_t at)
{
    enum rc rc = next(reading);
    if (rc != RC_OK)
        return rc;
    if (reading->event.type == YAML_MAPPING_START_EVENT)
        return take_mapping(reading, path);
    return take_values(reading, path, at);
}

static enum rc take_key(struct yaml_reading *reading, const char *above)
{
    if (reading->event.type != YAML_SCALAR_EVENT || !reading->event.data.scalar.length)
        return refuse_event(reading, "a key is one word");
    const char *key = (const char *)reading->event.data.scalar.value;
    AUTO_FREE char *path = xasprintf("%s%s%s", above, *above ? "-" : "", key);
    for (char *byte = path; (byte = strchr(byte, '_'));)
        *byte = '-';
    enum rc rc = note_key(reading, path);
    return rc == RC_OK ? take_value(reading, path, reading->event.start_mark) : rc;
}

// The mapping has begun; its end is the last event.
static enum rc take_mapping(struct yaml_reading *reading, const char *above)
{
    bool empty = true;
    enum rc rc;
    if (++reading->depth > YAML_DEPTH_MOST)
        return refuse_event(reading, "this is nested too deeply");
    while ((rc = next(reading)) == RC_OK && reading->event.type != YAML_MAPPING_END_EVENT) {
        empty = false;
        if ((rc = take_key(reading, above)) != RC_OK)
            return rc;
    }
    reading->depth--;
    if (rc == RC_OK && empty && *above)
        rc = refuse_event(reading, "the value is missing");
    return rc;
}

// --- documents ---

static bool is_nothing(const yaml_event_t *event) // a document of comments
{
    return event->type == YAML_SCALAR_EVENT && !event->data.scalar.length &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static enum rc take_document(struct yaml_reading *reading)
{
    enum rc rc = next(reading);
    if (rc != RC_OK)
        return rc;
    if (reading->event.type == YAML_MAPPING_START_EVENT)
        rc = take_mapping(reading, "");
    else if (!is_nothing(&reading->event))
        rc = refuse_event(reading, "a configuration consists of keys and values: \"key: value\"");
    return rc == RC_OK ? next(reading) : rc; // the end of the document
}

static enum rc take_stream(struct yaml_reading *reading)
{
    enum rc rc = next(reading); // its beginning
    if (rc == RC_OK)
        rc = next(reading);
    if (rc == RC_OK && reading->event.type == YAML_DOCUMENT_START_EVENT &&
        (rc = take_document(reading)) == RC_OK)
        rc = next(reading);
    if (rc == RC_OK && reading->event.type != YAML_STREAM_END_EVENT)
        rc = refuse_event(reading, "a second document begins; there is one in a file");
    return rc;
}

enum rc yaml_file_parse(const char *text, size_t length, const char *name, yaml_visitor visit,
                        void *context, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(name);
    if (length > YAML_FILE_MOST)
        return err_set(err, RC_USAGE, "%s: a configuration of more than %u KiB is none", shown,
                       YAML_FILE_MOST >> 10);
    if (length && memchr(text, '\0', length))
        return err_set(err, RC_USAGE, "%s: there is a NUL byte in it: this is no text", shown);
    AUTO_FREE struct yaml_reading *reading = xcalloc(1, sizeof *reading);
    reading->name = shown;
    reading->visit = visit;
    reading->context = context;
    reading->err = err;
    if (!yaml_parser_initialize(&reading->parser))
        return err_set(err, RC_LIMIT, "%s: there is no memory to read it", shown);
    yaml_parser_set_input_string(&reading->parser, (const unsigned char *)text, length);
    enum rc rc = take_stream(reading);
    yaml_event_delete(&reading->event);
    yaml_parser_delete(&reading->parser);
    for (size_t i = 0; i < reading->key_count; i++)
        free(reading->keys[i].path);
    return rc;
}

// --- files ---

// A FIFO or a device would have us wait for ever.
static enum rc read_file(const char *path, struct buf *text, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(path);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        return err_sys(err, RC_USAGE, errno, "cannot read the configuration %s", shown);
    if (!S_ISREG(stat.st_mode))
        return err_set(err, RC_USAGE, "cannot read the configuration %s: it is no file", shown);
    enum rc rc = buf_read_fd(text, fd, YAML_FILE_MOST);
    if (rc == RC_LIMIT)
        return err_set(err, RC_USAGE, "%s: a configuration of more than %u KiB is none", shown,
                       YAML_FILE_MOST >> 10);
    return rc == RC_OK ? rc
                       : err_sys(err, RC_USAGE, errno, "cannot read the configuration %s", shown);
}

enum rc yaml_file_read(const char *path, yaml_visitor visit, void *context, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = read_file(path, &text, err);
    return rc == RC_OK ? yaml_file_parse(text.length ? text.data : "", text.length, path, visit,
                                         context, err)
                       : rc;
}
