// SPDX-License-Identifier: MIT
#include "output/parser.h"

#include "base/buf.h"
#include "base/mem.h"
#include "output/gunzip.h"
#include "output/parsers.h"

const struct parser parsers[] = {
    {"gperftools' CPU profile", gperf_cpu_recognizes, gperf_cpu_parse},
    {"heap profile as text", heap_text_recognizes, heap_text_parse},
    {"jemalloc's heap profile", jemalloc_recognizes, jemalloc_parse},
    {"contentions as text", contention_recognizes, contention_parse},
    {"counts of stacks as text", count_text_recognizes, count_text_parse},
    {"speedscope JSON", speedscope_recognizes, speedscope_parse},
    {"perf script", perf_script_recognizes, perf_script_parse},
    {"collapsed stacks", collapsed_recognizes, collapsed_parse},
    {"pprof", pprof_recognizes, pprof_parse},
};
const size_t parser_count = ARRAY_LENGTH(parsers);

static enum rc parse_plain(const char *bytes, size_t length, struct plain_profile **profile,
                           struct err *err)
{
    if (!length)
        return err_set(err, RC_FORMAT, "it is empty");
    if (length > PROFILE_UNPACKED_MAX)
        return err_set(err, RC_LIMIT, "it is longer than %u MiB", PROFILE_UNPACKED_MAX >> 20);
    for (size_t i = 0; i < parser_count; i++)
        if (parsers[i].recognizes(bytes, length))
            return parsers[i].parse(bytes, length, profile, err);
    return err_set(err, RC_FORMAT, "it is no profile in a format that ptprof reads, or it is "
                                   "damaged");
}

enum rc parser_parse(const void *bytes, size_t length, struct plain_profile **profile,
                      struct err *err)
{
    AUTO_BUF struct buf unpacked = {0};
    *profile = NULL;
    if (!gunzip_is_packed(bytes, length))
        return parse_plain(bytes, length, profile, err);
    enum rc rc = gunzip(bytes, length, PROFILE_UNPACKED_MAX, &unpacked, err);
    return rc == RC_OK ? parse_plain(unpacked.data, unpacked.length, profile, err) : rc;
}
