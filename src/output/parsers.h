// SPDX-License-Identifier: MIT
// This header is private to the parsers; other code includes parser.h.
#pragma once

#include "output/parser.h"

#define PARSER_NODES_MAX (32u << 20) // of stacks
#define PARSER_TOO_MANY_FRAMES "its stacks have more than %u frames"
#define PARSER_UNPACK_FIRST                                                                        \
    "it has more parts than %zu MiB of memory hold, which is all that a compressed profile of "    \
    "its size may take. If you trust it, unpack it with gunzip first"
#define PARSER_HAS_NUL "it is a text that has a NUL byte: it is damaged"

// NAME_recognizes and NAME_parse, as in struct parser.
#define PARSER(name)                                                                               \
    bool name##_recognizes(const char *bytes, size_t length);                                      \
    enum rc name##_parse(const char *bytes, size_t length, size_t room,                            \
                         struct plain_profile **profile, struct err *err) MUST_CHECK

// Says whether stacks may get so many more frames: beside the profile the parser holds so many
// bytes. RC_LIMIT if there are too many of them, or more than fit into the room.
enum rc parser_check_room(const struct plain_profile *profile, size_t frames, size_t beside,
                          size_t room, struct err *err) MUST_CHECK;

PARSER(pprof);
PARSER(gperf_cpu);
PARSER(heap_text);
PARSER(jemalloc);
PARSER(contention);
PARSER(count_text);
PARSER(census);
PARSER(speedscope);
PARSER(perf_script);
PARSER(collapsed);
