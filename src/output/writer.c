// SPDX-License-Identifier: MIT
#include "output/writer.h"

#include <errno.h>
#include <string.h>

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

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), ending_length = strlen(ending);
    return length >= ending_length && strcmp(path + length - ending_length, ending) == 0;
}

const struct writer *writer_by_path(const char *path)
{
    for (size_t i = 0; i < writer_count; i++)
        for (const char *const *ending = writers[i].endings; *ending; ending++)
            if (ends_in(path, *ending))
                return &writers[i];
    return NULL;
}

enum rc output_bytes(FILE *out, const void *bytes, size_t length, struct err *err)
{
    errno = 0;
    bool taken = !length || fwrite(bytes, 1, length, out) == length;
    if (taken && fflush(out) == 0 && !ferror(out))
        return RC_OK;
    return err_sys(err, RC_IO, errno ? errno : EIO, "cannot write the profile");
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
    return (struct query_source){report->profile, report->modules, report->symbolizer};
}
