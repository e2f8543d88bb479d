// SPDX-License-Identifier: MIT
#include "output/writer.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "output/formats.h"

#define WORTH_A_WRITE 65536 // bytes

static const char *const pprof_endings[] = {".pb.gz", ".pprof", ".prof", ".pb", NULL};
static const char *const collapsed_endings[] = {".folded", ".collapsed", NULL};
static const char *const json_endings[] = {".json", NULL};
static const char *const text_endings[] = {".txt", NULL};

const struct writer writers[] = {
    {"pprof", ".pb.gz", pprof_endings, true, "go tool pprof -http=: %s", pprof_write},
    {"collapsed", ".folded", collapsed_endings, false, "flamegraph.pl %s > flame.svg",
     collapsed_write},
    {"json", ".json", json_endings, false, NULL, json_write},
    {"text", ".txt", text_endings, false, NULL, text_write},
};
const size_t writer_count = ARRAY_LENGTH(writers);

const struct writer *writer_by_name(const char *name)
{
    for (size_t i = 0; i < writer_count; i++)
        if (strcmp(writers[i].name, name) == 0)
            return &writers[i];
    return NULL;
}

const char *writer_ending(const struct writer *writer, const char *path)
{
    size_t length = strlen(path);
    for (const char *const *ending = writer->endings; *ending; ending++) {
        size_t own = strlen(*ending);
        if (length >= own && strcmp(path + length - own, *ending) == 0)
            return path + length - own;
    }
    return path + length;
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

struct query_source report_source(const struct report *report)
{
    return (struct query_source){report->profile, report->modules, report->symbolizer,
                                 .idle = report->run->type == RUN_WALL};
}
