// SPDX-License-Identifier: MIT
#include "output/gunzip.h"

#include <string.h>

#include <zlib.h>

#define GZIP_FORMAT 16 // added to zlib's window bits: gzip instead of zlib framing
#define PIECE 65536    // bytes

bool gunzip_is_packed(const void *bytes, size_t length)
{
    return length >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

static enum rc inflate_all(z_stream *stream, size_t limit, struct buf *out, struct err *err)
{
    int status = Z_OK;
    while (status == Z_OK) {
        stream->next_out = (Bytef *)buf_reserve(out, PIECE);
        stream->avail_out = PIECE;
        status = inflate(stream, Z_NO_FLUSH);
        out->length += PIECE - stream->avail_out;
        if (out->length > limit)
            return err_set(err, RC_LIMIT, "it is longer than %zu MiB without its compression",
                           limit >> 20);
    }
    out->data[out->length] = '\0';
    if (status == Z_BUF_ERROR)
        return err_set(err, RC_FORMAT, "it ends too early: its compression is cut short");
    if (status != Z_STREAM_END)
        return err_set(err, RC_FORMAT, "its compression is damaged%s%s", stream->msg ? ": " : "",
                       stream->msg ? stream->msg : "");
    if (stream->avail_in)
        return err_set(err, RC_FORMAT, "%u bytes follow the end of its compression",
                       stream->avail_in);
    return RC_OK;
}

enum rc gunzip(const void *bytes, size_t length, size_t limit, struct buf *out, struct err *err)
{
    if (length > limit)
        return err_set(err, RC_LIMIT, "it is longer than %zu MiB", limit >> 20);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (unsigned)length};
    int status = inflateInit2(&stream, MAX_WBITS + GZIP_FORMAT);
    if (status != Z_OK)
        return err_set(err, RC_FAIL, "cannot start zlib: %s", zError(status));
    enum rc rc = inflate_all(&stream, limit, out, err);
    inflateEnd(&stream);
    return rc;
}
