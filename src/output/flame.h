// SPDX-License-Identifier: MIT
// Flame graphs of a profile, or of the difference of two: a page that needs nothing beside itself,
// and a picture.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "profile/plain.h"

struct flame_request { // all borrowed
    const struct plain_profile *profile;
    const struct plain_profile *base; // what it is compared with; NULL: nothing
    const char *profile_name, *base_name; // where they come from, for the head; raw bytes
    const char *title; // raw bytes
    size_t value;      // number of the type of the profile whose values are shown first
};

// Write the page, the picture, and the data of the page alone, as JSON.
// RC_USAGE when the base has no such values, RC_FORMAT when the
// profile has none at all, RC_IO when the stream fails. The caller closes the stream.
enum rc flame_page_write(const struct flame_request *request, FILE *out,
                         struct err *err) MUST_CHECK;
enum rc flame_svg_write(const struct flame_request *request, FILE *out,
                        struct err *err) MUST_CHECK;
enum rc flame_data_write(const struct flame_request *request, FILE *out,
                         struct err *err) MUST_CHECK;
