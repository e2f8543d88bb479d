// SPDX-License-Identifier: MIT
// The profiles that a command reads: from files, standard input or servers.
#pragma once

#include "base/err.h"
#include "profile/plain.h"

// Reads a profile of any format that ptprof knows (output/parser.h) from a path, from standard
// input if the source is "-", or from a server if it is a URL (serve/profile_url.h). Code without
// names is named by the files of this machine, where it has them. Fails with a message that names
// the source; then *profile is NULL. The caller frees it.
enum rc profile_input_read(const char *source, struct plain_profile **profile, struct err *err)
    MUST_CHECK;

// Finds the values that --sample-type asks for by name or by number. Fails with RC_USAGE and the
// names that there are.
enum rc profile_input_type(const struct plain_profile *profile, const char *wanted, size_t *value,
                           struct err *err) MUST_CHECK;

// Makes them those that are shown first; NULL: nothing changes.
enum rc profile_input_choose(struct plain_profile *profile, const char *type, struct err *err)
    MUST_CHECK;
