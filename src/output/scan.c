// SPDX-License-Identifier: MIT
#include "output/scan.h"

#include <string.h>

bool scan_line(struct text_lines *lines, struct text_span *line)
{
    if (lines->at == lines->end)
        return false;
    const char *end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    *line = (struct text_span){lines->at, end ? end : lines->end};
    lines->at = end ? end + 1 : lines->end;
    lines->number++;
    if (line->end > line->at && line->end[-1] == '\r')
        line->end--;
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

size_t scan_left(const struct text_span *scan)
{
    return (size_t)(scan->end - scan->at);
}

bool scan_is_at(const struct text_span *scan, char byte)
{
    return scan->at < scan->end && *scan->at == byte;
}

void scan_blanks(struct text_span *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at))
        scan->at++;
}

void scan_trim(struct text_span *scan)
{
    scan_blanks(scan);
    while (scan->end > scan->at && is_blank(scan->end[-1]))
        scan->end--;
}

bool scan_is_comment(struct text_span line)
{
    scan_blanks(&line);
    return line.at == line.end || *line.at == '#';
}

bool scan_text(struct text_span *scan, const char *text)
{
    size_t length = strlen(text);
    if (scan_left(scan) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

bool scan_is(struct text_span scan, const char *text)
{
    return scan_text(&scan, text) && scan.at == scan.end;
}

bool scan_blank(struct text_span *scan)
{
    const char *start = scan->at;
    scan_blanks(scan);
    return scan->at > start;
}

static unsigned digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (unsigned)(byte - '0');
    if (byte >= 'a' && byte <= 'f')
        return (unsigned)(byte - 'a') + 10;
    if (byte >= 'A' && byte <= 'F')
        return (unsigned)(byte - 'A') + 10;
    return 16;
}

static bool take_digits(struct text_span *scan, unsigned base, uint64_t *number)
{
    const char *at = scan->at;
    unsigned digit;
    uint64_t sum = 0;
    for (; at < scan->end && (digit = digit_of(*at)) < base; at++)
        if (__builtin_mul_overflow(sum, base, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    if (at == scan->at)
        return false;
    scan->at = at;
    *number = sum;
    return true;
}

bool scan_number(struct text_span *scan, uint64_t *number)
{
    return take_digits(scan, 10, number);
}

bool scan_signed(struct text_span *scan, int64_t *number)
{
    struct text_span rest = *scan;
    uint64_t digits;
    bool negative = scan_text(&rest, "-");
    if (!scan_number(&rest, &digits) || digits > INT64_MAX)
        return false;
    *number = negative ? -(int64_t)digits : (int64_t)digits;
    *scan = rest;
    return true;
}

bool scan_hex(struct text_span *scan, uint64_t *number)
{
    struct text_span rest = *scan;
    if (!scan_text(&rest, "0x"))
        rest = *scan;
    if (!take_digits(&rest, 16, number))
        return false;
    *scan = rest;
    return true;
}
