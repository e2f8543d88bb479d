// SPDX-License-Identifier: MIT
// The protocol between the main process and the symbol process, in messages of at most
// WIRE_MESSAGE_MAX bytes. The symbol process may have been taken over by a hostile file, so
// everything that it sends is checked here.
//
// The main process asks with a struct wire_ask and its payload. The answer is any number of records
// (struct wire_record and `length` bytes each); the last one is RECORD_DONE. Texts are sent once
// and referred to by number: the first one is 1, and 0 stands for none.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define WIRE_MESSAGE_MAX (96u << 10)
#define WIRE_RECORD_MAX (40u << 10) // bytes of one record with its header
#define WIRE_LINES_MAX 256
#define WIRE_FIND_MAX 12000 // addresses in one question

enum wire_question {
    ASK_OPEN, // payload: path NUL extra NUL; the file comes with it. Answered by RECORD_TRIED
    ASK_FIND, // payload: link-time addresses, 8 bytes each. Answered by a RECORD_SYMBOL each
};

struct wire_ask {
    uint32_t question;
    uint32_t module;
    uint32_t depth; // enum binary_depth, for ASK_OPEN
    uint32_t count; // how many addresses
};

enum wire_type {
    RECORD_TEXT = 1, // struct wire_text, the raw bytes, the bytes to show
    RECORD_SYMBOL,   // struct wire_symbol, its lines
    RECORD_TRIED,    // flag byte: it has lines; then text: what was looked for, a line each
    RECORD_WANT,     // path of a file; the reply is a message with or without its descriptor
    RECORD_DONE,
};

struct wire_record {
    uint32_t type, length;
};

struct wire_text {
    uint32_t raw_length, shown_length; // shown_length 0: the same as raw
};

struct wire_line {
    uint32_t name, file; // text numbers
    uint32_t line, column;
};

struct wire_symbol {
    uint32_t index; // into the addresses of the question
    uint32_t line_count;
    uint64_t offset; // of the address from the start of the function
    uint64_t start;  // link-time address of a function without a name; 0: not known
};

struct wire_sink { // receives the records; texts are not NUL-terminated
    void *context;
    void (*text)(void *context, const char *raw, size_t raw_length, const char *shown,
                 size_t shown_length);
    // There is at least one line. The texts of all lines were received before.
    void (*symbol)(void *context, const struct wire_symbol *symbol, const struct wire_line *lines);
    void (*tried)(void *context, bool has_lines, const char *text, size_t length);
};

struct wire_reader { // one for each answer
    const struct wire_sink *sink;
    uint32_t text_count; // texts received from this symbol process so far
    uint32_t asked;      // addresses in the question
    uint32_t answered;   // symbols received
    bool done;
    char *want; // path of a file that the symbol process waits for, or NULL; the caller frees it
};

// Takes one message. False when it violates the protocol: the sender must not be trusted then.
bool wire_take(struct wire_reader *reader, const void *bytes, size_t length);

void wire_put(struct buf *out, enum wire_type type, const void *head, size_t head_length,
              const void *rest, size_t rest_length);
