// SPDX-License-Identifier: MIT
#include "output/parser.h"

#include "base/buf.h"
#include "base/mem.h"
#include "output/gunzip.h"
#include "output/parsers.h"

const struct parser parsers[] = {
    {"gperftools' CPU profile", gperf_cpu_recognizes, gperf_cpu_parse, NULL},
    {"heap profile as text", heap_text_recognizes, heap_text_parse, NULL},
    {"jemalloc's heap profile", jemalloc_recognizes, jemalloc_parse, NULL},
    {"contentions as text", contention_recognizes, contention_parse, NULL},
    {"counts of stacks as text", count_text_recognizes, count_text_parse, NULL},
    {"speedscope JSON", speedscope_recognizes, speedscope_parse, NULL},
    {"perf script", perf_script_recognizes, perf_script_parse, NULL},
    {"collapsed stacks", collapsed_recognizes, collapsed_parse, NULL},
    {"pprof", pprof_recognizes, pprof_parse, pprof_parse_within},
};
const size_t parser_count = ARRAY_LENGTH(parsers);

// room: of a file that was compressed; 0: it was not.
static enum rc parse_plain(const char *bytes, size_t length, size_t room,
                           struct plain_profile **profile, struct err *err)
{
    if (!length)
        return err_set(err, RC_FORMAT, "it is empty");
    if (length > PROFILE_UNPACKED_MAX)
        return err_set(err, RC_LIMIT, "it is longer than %u MiB", PROFILE_UNPACKED_MAX >> 20);
    for (const struct parser *parser = parsers; parser < parsers + parser_count; parser++)
        if (parser->recognizes(bytes, length))
            return room && parser->parse_within
                       ? parser->parse_within(bytes, length, room, profile, err)
                       : parser->parse(bytes, length, profile, err);
    return err_set(err, RC_FORMAT, "it is no profile in a format that ptprof reads, or it is "
                                   "damaged");
}

enum rc parser_parse(const void *bytes, size_t length, struct plain_profile **profile,
                      struct err *err)
{
    AUTO_BUF struct buf unpacked = {0};
    *profile = NULL;
    if (!gunzip_is_packed(bytes, length))
        return parse_plain(bytes, length, 0, profile, err);
    enum rc rc = gunzip(bytes, length, PROFILE_UNPACKED_MAX, &unpacked, err);
    if (rc != RC_OK)
        return rc;
    return parse_plain(unpacked.data, unpacked.length, gunzip_room(length) - unpacked.length,
                       profile, err);
}
