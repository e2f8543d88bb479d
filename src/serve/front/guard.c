// SPDX-License-Identifier: MIT
#include "serve/front/guard.h"

#include <string.h>
#include <strings.h>

// Only the first thing that is wrong is told.
static void refuse(struct header_guard *guard, unsigned status, const char *text)
{
    if (guard->status)
        return;
    guard->status = status;
    guard->text = text;
}

// --- path and query ---

static int digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// Returns the byte at `at` and moves behind it; -1: '%' without two digits.
static int decode(const char **at, const char *end)
{
    const char *text = *at;
    *at = text + 1;
    if (*text != '%')
        return (unsigned char)*text;
    if (end - text < 3 || digit(text[1]) < 0 || digit(text[2]) < 0)
        return -1;
    *at = text + 3;
    return digit(text[1]) * 16 + digit(text[2]);
}

// Bytes beyond ASCII are to be sent as %HH; as such they may come.
static void check_bytes(struct header_guard *guard, const char *text, const char *end)
{
    while (text < end) {
        bool is_raw = *text != '%';
        int byte = decode(&text, end);
        if (byte < 0)
            refuse(guard, 400, "a % in path or query is not followed by two hexadecimal digits");
        else if (byte < ' ' || byte == 0x7f || (is_raw && (byte == ' ' || byte > 0x7f)))
            refuse(guard, 400, "path or query has a control byte, a blank or a byte beyond ASCII");
    }
}

// "//", "/./", "/../", however they are written: they mean different things to different programs.
static void check_segments(struct header_guard *guard, const char *path, const char *end)
{
    size_t length = 0, dots = 0;
    for (bool is_first = true; path < end; is_first = false) {
        int byte = decode(&path, end);
        bool ends = path == end;
        if (byte == '\\')
            refuse(guard, 400, "the path has a backslash");
        length += byte != '/';
        dots += byte == '.';
        if (byte != '/' && !ends)
            continue;
        if (length && length == dots && length <= 2)
            refuse(guard, 400, "the path has a segment '.' or '..'");
        if (byte == '/' && !length && !is_first)
            refuse(guard, 400, "the path has an empty segment ('//')");
        length = dots = 0;
    }
}

void guard_target(struct header_guard *guard, const char *uri)
{
    const char *end = uri + strcspn(uri, "?");
    if (*uri != '/')
        refuse(guard, 400, "what is asked for is no path that begins with '/'");
    if (end - uri > GUARD_PATH_MOST)
        refuse(guard, 414, "the path is longer than 1 KiB");
    if (strlen(end) > GUARD_QUERY_MOST)
        refuse(guard, 414, "the query is longer than 8 KiB");
    check_bytes(guard, uri, end);
    check_bytes(guard, end, end + strlen(end));
    check_segments(guard, uri, end);
}

void guard_decode(char *path)
{
    const char *at = path, *end = path + strlen(path);
    while (at < end)
        *path++ = (char)decode(&at, end);
    *path = '\0';
}

// --- fields of the header ---

static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] == 0x7f || strchr("()<>@,;:\\\"/[]?={}", text[i]))
            return false;
    return length;
}

static bool is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static bool is_number(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length && length < 20;
}

static bool is_named(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncasecmp(name, wanted, length) == 0;
}

static void count(struct header_guard *guard, unsigned *count, const char *text)
{
    if (++*count > 1)
        refuse(guard, 400, text);
}

void guard_field(struct header_guard *guard, const char *name, size_t name_length,
                 const char *value, size_t value_length)
{
    guard->bytes += name_length + value_length;
    if (guard->bytes > GUARD_HEADER_MOST)
        refuse(guard, 431, "the header is longer than 16 KiB");
    if (!is_token(name, name_length))
        refuse(guard, 400, "the name of a field of the header has a byte that may not be there");
    if (!is_clean(value, value_length))
        refuse(guard, 400, "a field of the header has a control byte");
    if (is_named(name, name_length, "Host"))
        count(guard, &guard->hosts, "there are two Host fields");
    if (is_named(name, name_length, "Origin"))
        count(guard, &guard->origins, "there are two Origin fields");
    if (is_named(name, name_length, "Content-Length")) {
        count(guard, &guard->lengths, "there are two Content-Length fields");
        if (!is_number(value, value_length))
            refuse(guard, 400, "Content-Length is no number");
    }
    if (is_named(name, name_length, "Transfer-Encoding")) {
        count(guard, &guard->encodings, "there are two Transfer-Encoding fields");
        if (!is_named(value, value_length, "chunked"))
            refuse(guard, 501, "Transfer-Encoding is another one than chunked");
    }
    if (guard->lengths && guard->encodings)
        refuse(guard, 400, "there are both Content-Length and Transfer-Encoding");
}
