// SPDX-License-Identifier: MIT
// convert FILE FORMAT [OPERATION ARGUMENT]...: a pprof file, whoever wrote it, on standard output
// in another format, after what is done to it: merge FILE, subtract FILE, scale FACTOR,FACTOR...,
// focus EXPRESSION, ignore EXPRESSION, label KEY=EXPRESSION, number KEY=LEAST:MOST.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "output/parser.h"
#include "output/writer.h"
#include "profile/plain_filter.h"
#include "profile/plain_merge.h"
#include "profile/plain_scale.h"

#define FILE_MAX (64u << 20) // bytes
#define TYPES_MAX 64

static enum rc read_profile(const char *path, struct plain_profile **profile, struct err *err)
{
    AUTO_BUF struct buf bytes = {0};
    AUTO_FILE FILE *file = fopen(path, "r");
    if (!file)
        return err_set(err, RC_IO, "cannot open %s", path);
    bytes.length += fread(buf_reserve(&bytes, FILE_MAX), 1, FILE_MAX, file);
    return parser_parse(bytes.data, bytes.length, profile, err);
}

static enum rc with_file(const struct plain_profile *from, bool subtract, const char *path,
                         struct plain_profile **to, struct err *err)
{
    struct plain_profile *other;
    enum rc rc = read_profile(path, &other, err);
    if (rc != RC_OK)
        return rc;
    const struct plain_profile *both[] = {from, other};
    rc = subtract ? plain_subtract(from, other, to, err) : plain_merge(both, 2, to, err);
    plain_free(other);
    return rc;
}

static enum rc scale(const struct plain_profile *from, char *factors, struct plain_profile **to)
{
    double list[TYPES_MAX] = {0};
    for (size_t i = 0; factors && i < TYPES_MAX; i++)
        list[i] = strtod(strsep(&factors, ","), NULL);
    *to = plain_scale(from, list);
    return RC_OK;
}

static enum rc by_label(const struct plain_profile *from, bool numbered, char *argument,
                        struct plain_profile **to, struct err *err)
{
    struct plain_filter filter = {.numbered = numbered, .label = strsep(&argument, "=")};
    if (!numbered)
        filter.text = argument;
    else if (sscanf(argument, "%" SCNd64 ":%" SCNd64, &filter.least, &filter.most) != 2)
        return err_set(err, RC_USAGE, "not a range: %s", argument);
    return plain_filter(from, &filter, to, err);
}

static enum rc apply(const struct plain_profile *from, const char *operation, char *argument,
                     struct plain_profile **to, struct err *err)
{
    if (strcmp(operation, "merge") == 0 || strcmp(operation, "subtract") == 0)
        return with_file(from, *operation == 's', argument, to, err);
    if (strcmp(operation, "scale") == 0)
        return scale(from, argument, to);
    if (strcmp(operation, "label") == 0 || strcmp(operation, "number") == 0)
        return by_label(from, *operation == 'n', argument, to, err);
    if (strcmp(operation, "focus") == 0)
        return plain_filter(from, &(struct plain_filter){.focus = argument}, to, err);
    if (strcmp(operation, "ignore") == 0)
        return plain_filter(from, &(struct plain_filter){.ignore = argument}, to, err);
    return err_set(err, RC_USAGE, "no operation: %s", operation);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct plain_profile *profile = NULL;
    const struct writer *writer = argc > 2 && argc % 2 ? writer_by_name(argv[2]) : NULL;
    if (!writer)
        return fputs("usage: convert FILE FORMAT [OPERATION ARGUMENT]...\n", stderr), EXIT_FAILURE;
    enum rc rc = read_profile(argv[1], &profile, &err);
    for (int i = 3; i < argc && rc == RC_OK; i += 2) {
        struct plain_profile *next = NULL;
        rc = apply(profile, argv[i], argv[i + 1], &next, &err);
        plain_free(profile);
        profile = next;
    }
    if (rc == RC_OK)
        rc = writer->write(&(struct writing){.profile = profile}, stdout, &err);
    if (rc != RC_OK)
        fprintf(stderr, "convert: %s\n", err.text);
    plain_free(profile);
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
