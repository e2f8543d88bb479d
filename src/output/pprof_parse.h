// SPDX-License-Identifier: MIT
// Files of proto/profile.proto, whoever wrote them -> a plain profile.
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "profile/plain.h"

// The bytes of a file, gzip-compressed or not. What pprof takes for valid is: ids in any order,
// locations without lines, and mappings that are not there (they are left out). RC_FORMAT with what
// is wrong otherwise, RC_LIMIT when it is larger than anybody's profile. The caller frees *profile,
// which is NULL then.
enum rc pprof_parse(const void *bytes, size_t length, struct plain_profile **profile,
                    struct err *err) MUST_CHECK;
