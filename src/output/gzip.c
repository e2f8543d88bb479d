// SPDX-License-Identifier: MIT
#include "output/gzip.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "output/formats.h"

#define GZIP_FORMAT 16 // added to zlib's window bits: gzip instead of zlib framing
#define MEMORY_LEVEL 8 // zlib's default

enum rc gzip_init(struct gzip *gzip, FILE *out, struct err *err)
{
    *gzip = (struct gzip){.out = out};
    int status = deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                              MAX_WBITS + GZIP_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (status != Z_OK)
        return err_set(err, RC_FAIL, "cannot start zlib: %s", zError(status));
    return RC_OK;
}

void gzip_fini(struct gzip *gzip)
{
    deflateEnd(&gzip->stream);
}

enum rc gzip_write(struct gzip *gzip, const void *bytes, size_t length, bool last, struct err *err)
{
    unsigned char packed[16384];
    z_stream *stream = &gzip->stream;
    stream->next_in = (z_const Bytef *)bytes;
    do {
        // zlib counts in 32 bits, so longer input takes several turns.
        unsigned part = length < UINT32_MAX ? (unsigned)length : UINT32_MAX;
        stream->avail_in = part;
        stream->next_out = packed;
        stream->avail_out = sizeof packed;
        deflate(stream, last && part == length ? Z_FINISH : Z_NO_FLUSH);
        length -= part - stream->avail_in;
        enum rc rc = output_bytes(gzip->out, packed, sizeof packed - stream->avail_out, err);
        if (rc != RC_OK)
            return rc;
    } while (length || stream->avail_out == 0);
    return RC_OK;
}

static ssize_t take(void *context, const char *bytes, size_t length)
{
    return gzip_write(context, bytes, length, false, NULL) == RC_OK ? (ssize_t)length : 0;
}

static int finish(void *context)
{
    struct gzip *gzip = context;
    enum rc rc = gzip_write(gzip, NULL, 0, true, NULL);
    int errnum = errno;
    gzip_fini(gzip);
    free(gzip);
    errno = errnum;
    return rc == RC_OK ? 0 : EOF;
}

FILE *gzip_stream(FILE *out)
{
    struct gzip *gzip = xcalloc(1, sizeof *gzip);
    if (gzip_init(gzip, out, NULL) == RC_OK)
        return fopencookie(gzip, "w", (cookie_io_functions_t){.write = take, .close = finish});
    free(gzip);
    errno = ENOMEM;
    return NULL;
}
