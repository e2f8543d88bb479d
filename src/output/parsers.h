// SPDX-License-Identifier: MIT
// This header is private to the parsers; other code includes parser.h.
#pragma once

#include "output/parser.h"

#define PARSER_NODES_MAX (32u << 20) // of stacks
#define PARSER_TOO_MANY_FRAMES "its stacks have more than %u frames"
#define PARSER_HAS_NUL "it is a text that has a NUL byte: it is damaged"

// NAME_recognizes and NAME_parse, as in struct parser.
#define PARSER(name)                                                                               \
    bool name##_recognizes(const char *bytes, size_t length);                                      \
    enum rc name##_parse(const char *bytes, size_t length, struct plain_profile **profile,         \
                         struct err *err) MUST_CHECK

PARSER(pprof);
enum rc pprof_parse_within(const char *bytes, size_t length, size_t room,
                           struct plain_profile **profile, struct err *err) MUST_CHECK;
PARSER(gperf_cpu);
PARSER(heap_text);
PARSER(jemalloc);
PARSER(contention);
PARSER(count_text);
PARSER(speedscope);
PARSER(perf_script);
PARSER(collapsed);
