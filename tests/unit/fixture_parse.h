// SPDX-License-Identifier: MIT
// Files of the formats that are read, and what became of them, as text:
//   samples/count cpu/nanoseconds | period 10
//   3 30 thread=worker tid=7 : main@app;0x401000@libc.so.6;inner@app(inlined)
// Stacks begin at the root.
#pragma once

#include "base/buf.h"
#include "output/parser.h"

// Appends what was read of the bytes, or "error: " and why they were not.
void parse_describe(const char *bytes, size_t length, struct buf *out);

// Says whether what was read of a text is as expected, also if its lines end in "\r\n", and if
// its last one has no end.
void parse_check(const char *text, const char *expected);

// Says whether the reason why a text is not read holds these words.
void parse_check_refused(const char *text, const char *words);

// Parses every beginning of the bytes, and the bytes with one of them changed at a time: each is
// read or refused in words.
void parse_check_damaged(const char *bytes, size_t length);

// Says whether a text with a NUL somewhere is refused.
void parse_check_nul(const char *text);
