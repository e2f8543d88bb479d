// SPDX-License-Identifier: MIT
#include "output/parser.h"

#include "base/buf.h"
#include "base/mem.h"
#include "output/gunzip.h"
#include "output/parsers.h"

#define FRAME_COST 32 // bytes that a frame of a stack takes at most
#define SPARE 4       // a part of the room for arrays that grow

const struct parser parsers[] = {
    {"gperftools' CPU profile", gperf_cpu_recognizes, gperf_cpu_parse},
    {"heap profile as text", heap_text_recognizes, heap_text_parse},
    {"jemalloc's heap profile", jemalloc_recognizes, jemalloc_parse},
    {"contentions as text", contention_recognizes, contention_parse},
    {"counts of stacks as text", count_text_recognizes, count_text_parse},
    {"ptprof heap's JSON", census_recognizes, census_parse},
    {"speedscope JSON", speedscope_recognizes, speedscope_parse},
    {"perf script", perf_script_recognizes, perf_script_parse},
    {"collapsed stacks", collapsed_recognizes, collapsed_parse},
    {"pprof", pprof_recognizes, pprof_parse},
};
const size_t parser_count = ARRAY_LENGTH(parsers);

enum rc parser_check_room(const struct plain_profile *profile, size_t frames, size_t beside,
                          size_t room, struct err *err)
{
    if (frames > PARSER_NODES_MAX - profile->stacks.count)
        return err_set(err, RC_LIMIT, PARSER_TOO_MANY_FRAMES, PARSER_NODES_MAX);
    if (room == PARSER_ROOMY)
        return RC_OK;
    size_t taken = plain_memory(profile) + frames * FRAME_COST + beside;
    return taken <= room - room / SPARE ? RC_OK : err_set(err, RC_LIMIT, PARSER_UNPACK_FIRST,
                                                          room >> 20);
}

static enum rc parse_plain(const char *bytes, size_t length, size_t room,
                           struct plain_profile **profile, struct err *err)
{
    if (!length)
        return err_set(err, RC_FORMAT, "it is empty");
    if (length > PROFILE_UNPACKED_MAX)
        return err_set(err, RC_LIMIT, "it is longer than %u MiB", PROFILE_UNPACKED_MAX >> 20);
    for (const struct parser *parser = parsers; parser < parsers + parser_count; parser++)
        if (parser->recognizes(bytes, length))
            return parser->parse(bytes, length, room, profile, err);
    return err_set(err, RC_FORMAT, "it is no profile in a format that ptprof reads, or it is "
                                   "damaged");
}

enum rc parser_parse(const void *bytes, size_t length, struct plain_profile **profile,
                      struct err *err)
{
    AUTO_BUF struct buf unpacked = {0};
    *profile = NULL;
    if (!gunzip_is_packed(bytes, length))
        return parse_plain(bytes, length, PARSER_ROOMY, profile, err);
    enum rc rc = gunzip(bytes, length, PROFILE_UNPACKED_MAX, &unpacked, err);
    if (rc != RC_OK)
        return rc;
    return parse_plain(unpacked.data, unpacked.length, gunzip_room(length) - unpacked.length,
                       profile, err);
}
