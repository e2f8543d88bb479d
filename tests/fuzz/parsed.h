// SPDX-License-Identifier: MIT
// What is read of any bytes is a whole profile: written in pprof's format and read again it has the
// same types, and its values the same sums.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "output/parser.h"
#include "output/writer.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static uint64_t sum_of(const struct plain_profile *profile)
{
    uint64_t sum = profile->type_count;
    for (uint32_t i = 0; i < profile->samples.count; i++)
        for (size_t j = 0; j < profile->type_count; j++)
            sum += (uint64_t)plain_values(profile, i)[j] * (j + 1);
    return sum;
}

static int fuzz_parse(const uint8_t *bytes, size_t length)
{
    struct err err = {0};
    struct plain_profile *profile, *again;
    enum rc rc = parser_parse(bytes, length, &profile, &err);
    require((rc == RC_OK) == (profile != NULL) && (rc == RC_OK) == !err.text[0]);
    if (!profile)
        return 0;
    AUTO_FREE char *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);
    const struct writing writing = {.profile = profile};
    require(out && writer_by_name("pprof")->write(&writing, out, NULL) == RC_OK);
    require(fclose(out) == 0);
    require(parser_parse(written, size, &again, NULL) == RC_OK);
    require(sum_of(profile) == sum_of(again));
    plain_free(again);
    plain_free(profile);
    return 0;
}
