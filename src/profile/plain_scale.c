// SPDX-License-Identifier: MIT
#include "profile/plain_scale.h"

#include <math.h>

// A double holds no more than 53 bits of a value that does not change.
int64_t plain_scaled(int64_t value, double factor)
{
    double scaled = (double)value * factor;
    return factor == 1              ? value
           : !(scaled < 0x1p63)     ? INT64_MAX
           : !(scaled > -0x1p63)    ? INT64_MIN
                                    : llround(scaled);
}

struct plain_profile *plain_scale(const struct plain_profile *profile, const double *factors)
{
    struct plain_profile *scaled = plain_copy(profile);
    size_t count = scaled->samples.count * scaled->type_count;
    for (size_t i = 0; i < count; i++)
        scaled->samples.values[i] =
            plain_scaled(scaled->samples.values[i], factors[i % scaled->type_count]);
    return scaled;
}
