// SPDX-License-Identifier: MIT
#include "output/gunzip.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>

#define GZIP_FORMAT 16    // added to zlib's window bits: gzip instead of zlib framing
#define PIECE 65536       // bytes
// A file of SMALL bytes or less may take ROOM bytes, two thirds of them for what it unpacks to,
// and a larger one RATIO more for each further byte: profiles compress 2 to 30 times, zeros 1000.
#define SMALL (1u << 20)
#define ROOM (48u << 20)
#define RATIO 64
#define LENGTH_BYTES 4    // at the end of a member: how long it is, modulo 2^32

bool gunzip_is_packed(const void *bytes, size_t length)
{
    return length >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

size_t gunzip_room(size_t length)
{
    return ROOM + (length > SMALL ? length - SMALL : 0) * RATIO;
}

static size_t most(size_t length, size_t limit)
{
    size_t bound = gunzip_room(length) - ROOM / 3;
    return bound < limit ? bound : limit;
}

// --- what is wrong ---

static enum rc too_long(size_t bound, size_t limit, struct err *err)
{
    if (bound == limit)
        return err_set(err, RC_LIMIT, "it is longer than %zu MiB without its compression",
                       limit >> 20);
    return err_set(err, RC_LIMIT,
                   "it is longer than %zu MiB without its compression, which is too much for a "
                   "profile of its size. If you trust it, unpack it with gunzip first",
                   bound >> 20);
}

static enum rc too_much(const unsigned char *rest, size_t length, struct err *err)
{
    if (gunzip_is_packed(rest, length))
        return err_set(err, RC_FORMAT, "it is several compressed files, one behind the other: give "
                                       "each a file of its own");
    return err_set(err, RC_FORMAT, "%zu bytes follow the end of its compression", length);
}

static enum rc wrong_at(const z_stream *stream, int status, struct err *err)
{
    if (status == Z_BUF_ERROR)
        return err_set(err, RC_FORMAT, "it ends too early: its compression is cut short");
    if (status == Z_STREAM_END && stream->avail_in)
        return too_much(stream->next_in, stream->avail_in, err);
    return err_set(err, RC_FORMAT, "its compression is damaged%s%s", stream->msg ? ": " : "",
                   stream->msg ? stream->msg : "");
}

// Unpacks it once more, piece by piece, and keeps nothing: zlib says where it ends and why.
static enum rc find_fault(const void *bytes, size_t length, size_t limit, struct err *err)
{
    unsigned char piece[PIECE];
    size_t unpacked = 0, bound = most(length, limit);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (unsigned)length};
    int status = inflateInit2(&stream, MAX_WBITS + GZIP_FORMAT);
    if (status != Z_OK)
        return err_set(err, RC_FAIL, "cannot start zlib: %s", zError(status));
    while (status == Z_OK && unpacked <= bound) {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        status = inflate(&stream, Z_NO_FLUSH);
        unpacked += sizeof piece - stream.avail_out;
    }
    enum rc rc = unpacked > bound ? too_long(bound, limit, err) : wrong_at(&stream, status, err);
    inflateEnd(&stream);
    return rc;
}

// --- unpacking ---

static size_t length_told(const unsigned char *bytes, size_t length)
{
    size_t told = 0;
    for (size_t i = 0; i < LENGTH_BYTES && i < length; i++)
        told = told << 8 | bytes[length - 1 - i];
    return told;
}

// Returns true when the bytes are one whole member that is as long as it says.
static bool unpack(const void *bytes, size_t length, size_t told, struct buf *out)
{
    size_t used, made;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *to = buf_reserve(out, told);
    bool good = decompressor &&
                libdeflate_gzip_decompress_ex(decompressor, bytes, length, to, told, &used,
                                              &made) == LIBDEFLATE_SUCCESS &&
                used == length && made == told;
    libdeflate_free_decompressor(decompressor);
    if (good)
        to[told] = '\0';
    out->length += good ? told : 0;
    return good;
}

enum rc gunzip(const void *bytes, size_t length, size_t limit, struct buf *out, struct err *err)
{
    if (length > limit)
        return err_set(err, RC_LIMIT, "it is longer than %zu MiB", limit >> 20);
    size_t told = length_told(bytes, length);
    if (told <= most(length, limit) && unpack(bytes, length, told, out))
        return RC_OK;
    return find_fault(bytes, length, limit, err);
}
