// SPDX-License-Identifier: MIT
// convert FILE FORMAT: a pprof file, whoever wrote it, on standard output in another format.
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "output/pprof_parse.h"
#include "output/writer.h"

#define FILE_MAX (64u << 20) // bytes

static enum rc read_profile(const char *path, struct plain_profile **profile, struct err *err)
{
    AUTO_BUF struct buf bytes = {0};
    AUTO_FILE FILE *file = fopen(path, "r");
    if (!file)
        return err_set(err, RC_IO, "cannot open %s", path);
    bytes.length += fread(buf_reserve(&bytes, FILE_MAX), 1, FILE_MAX, file);
    return pprof_parse(bytes.data, bytes.length, profile, err);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct plain_profile *profile = NULL;
    const struct writer *writer = argc == 3 ? writer_by_name(argv[2]) : NULL;
    if (!writer)
        return fputs("usage: convert FILE FORMAT\n", stderr), EXIT_FAILURE;
    enum rc rc = read_profile(argv[1], &profile, &err);
    if (rc == RC_OK)
        rc = writer->write(&(struct writing){.profile = profile}, stdout, &err);
    if (rc != RC_OK)
        fprintf(stderr, "convert: %s\n", err.text);
    plain_free(profile);
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
