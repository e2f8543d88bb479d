// SPDX-License-Identifier: MIT
#include "output/writer.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "output/formats.h"

#define PACKED ".gz"
#define WORTH_A_WRITE 65536 // bytes

static const char *const pprof_endings[] = {".pb.gz", ".pprof", ".prof", ".pb", NULL};
static const char *const collapsed_endings[] = {".folded", ".collapsed", NULL};
static const char *const json_endings[] = {".json", NULL};
static const char *const speedscope_endings[] = {".speedscope.json", ".speedscope", NULL};
// Not ".chrome.json": speedscope reads that as a CPU profile of Chrome's.
const char *const chrome_endings[] = {".trace.json", ".perfetto.json", NULL};
static const char *const text_endings[] = {".txt", NULL};

const struct writer writers[] = {
    {"pprof", ".pb.gz", pprof_endings, true, "ptprof view %s", pprof_write, NULL},
    {"collapsed", ".folded", collapsed_endings, false, "flamegraph.pl %s > flame.svg",
     collapsed_write, NULL},
    {"speedscope", ".speedscope.json", speedscope_endings, false, "speedscope %s",
     speedscope_write, NULL},
    {"chrome", ".trace.json", chrome_endings, false, "ui.perfetto.dev opens %s", chrome_write,
     NULL},
    {"json", ".json", json_endings, false, NULL, json_write, NULL},
    {"text", ".txt", text_endings, false, NULL, text_write, NULL},
};
const size_t writer_count = ARRAY_LENGTH(writers);

const struct writer *writer_by_name(const char *name)
{
    for (size_t i = 0; i < writer_count; i++)
        if (strcmp(writers[i].name, name) == 0)
            return &writers[i];
    return NULL;
}

static bool ends_in(const char *path, size_t length, const char *ending)
{
    size_t own = strlen(ending);
    return length >= own && strncmp(path + length - own, ending, own) == 0;
}

const char *writer_ending(const struct writer *writer, const char *path)
{
    size_t whole = strlen(path);
    size_t plain = ends_in(path, whole, PACKED) ? whole - strlen(PACKED) : whole;
    for (const char *const *ending = writer->endings; *ending; ending++)
        if (ends_in(path, whole, *ending))
            return path + whole - strlen(*ending);
    for (const char *const *ending = writer->endings; *ending; ending++)
        if (plain < whole && ends_in(path, plain, *ending))
            return path + plain - strlen(*ending);
    return path + whole;
}

bool writer_compresses(const struct writer *writer, const char *path)
{
    return !writer->binary && ends_in(path, strlen(path), PACKED);
}

const struct writer *writer_by_path(const char *path)
{
    for (size_t i = 0; i < writer_count; i++)
        if (*writer_ending(&writers[i], path))
            return &writers[i];
    return NULL;
}

enum rc output_bytes(FILE *out, const void *bytes, size_t length, struct err *err)
{
    errno = 0;
    bool taken = !length || fwrite(bytes, 1, length, out) == length;
    if (taken && fflush(out) == 0 && !ferror(out))
        return RC_OK;
    return limits_sys(err, RC_IO, errno ? errno : EIO, "cannot write the profile");
}

enum rc output_some(FILE *out, struct buf *text, struct err *err)
{
    if (text->length < WORTH_A_WRITE)
        return RC_OK;
    enum rc rc = output_bytes(out, text->data, text->length, err);
    buf_clear(text);
    return rc;
}
