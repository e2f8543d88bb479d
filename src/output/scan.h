// SPDX-License-Identifier: MIT
// Texts of others are read line by line and word by word, in place: nothing is copied or changed,
// and nothing is read behind the end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_span { // what is left of a line
    const char *at, *end;
};

struct text_lines { // what is left of a text
    const char *at, *end;
    size_t number; // of the line that was given last, from 1
};

// Gives the next line, without its end ("\n" or "\r\n"; the last one may have none).
bool scan_line(struct text_lines *lines, struct text_span *line);

// Says whether a line has nothing, or begins with '#' after blanks.
bool scan_is_comment(struct text_span line);

bool scan_is(struct text_span scan, const char *text); // says whether nothing but that is left
size_t scan_left(const struct text_span *scan); // bytes
bool scan_is_at(const struct text_span *scan, char byte);
void scan_blanks(struct text_span *scan); // skips spaces and tabs
void scan_trim(struct text_span *scan);   // drops those at both ends

// Each takes what it is named after, if that comes next; else it returns false and takes nothing.
// Numbers that 64 bits do not hold are none. Hexadecimal ones may begin with "0x".
bool scan_text(struct text_span *scan, const char *text);
bool scan_blank(struct text_span *scan); // one or more
bool scan_number(struct text_span *scan, uint64_t *number);
bool scan_signed(struct text_span *scan, int64_t *number);
bool scan_hex(struct text_span *scan, uint64_t *number);
