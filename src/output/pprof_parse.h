// SPDX-License-Identifier: MIT
// Reads files of proto/profile.proto that any program wrote.
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "profile/plain.h"

// Parses a file, gzip-compressed or not. Like pprof it accepts ids in any order, locations without
// lines, and ids of missing mappings, which are left out. Fails with RC_FORMAT and what is wrong,
// or with RC_LIMIT if the file is too large for a profile; then *profile is NULL. The caller frees
// it.
enum rc pprof_parse(const void *bytes, size_t length, struct plain_profile **profile,
                    struct err *err) MUST_CHECK;
