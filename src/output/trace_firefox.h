// SPDX-License-Identifier: MIT
// This header is private to the writer of processed profiles: its code and its stacks, which all
// threads share, and tables by columns.
#pragma once

#include "base/map.h"
#include "output/trace_parts.h"

enum firefox_category { // the color of frames and markers
    FIREFOX_OTHER,
    FIREFOX_RUNNING,
    FIREFOX_RUNNABLE,
    FIREFOX_BLOCKED,
    FIREFOX_KERNEL,
    FIREFOX_CATEGORIES,
};

struct firefox_function {
    uint32_t name, file; // texts
    uint32_t library;    // TIMELINE_NONE: not known
};

struct firefox_frame {
    uint32_t function, depth; // depth: 0 has code of its own, others are inlined into it
    enum firefox_category category;
    int64_t line, column; // 0: not known
};

struct firefox_stack {
    uint32_t frame, prefix; // prefix: its caller; TIMELINE_NONE: none
};

struct firefox_code {
    const struct plain_profile *profile;
    struct firefox_function *functions;
    size_t function_count, function_capacity;
    struct firefox_frame *frames;
    size_t frame_count, frame_capacity;
    struct firefox_stack *stacks;
    size_t stack_count, stack_capacity;
    uint32_t *libraries; // mappings, one of each module
    size_t library_capacity;
    uint32_t *files; // texts
    size_t file_capacity;
    uint32_t *leaves; // [node of the profile]: the stack; of node 0 it has one frame, "[unknown]"
    struct map function_ids, library_ids, file_ids;
};

void trace_firefox_code_init(struct firefox_code *code, const struct plain_profile *profile);
void trace_firefox_code_fini(struct firefox_code *code);

// The number that the name of a state has among the texts of the file.
size_t trace_firefox_state(const struct firefox_code *code, enum profile_state state);

void trace_firefox_libraries(const struct firefox_code *code, struct json *json);
void trace_firefox_shared(const struct firefox_code *code, struct trace_json *trace);

struct firefox_column {
    const char *key;
    void (*put)(struct json *json, const void *table, size_t row);
};

// Writes columns, and how long they are, into the present object.
void trace_firefox_columns(struct trace_json *trace, const struct firefox_column *columns,
                           size_t count, const void *table, size_t rows);
