// SPDX-License-Identifier: MIT
// The profiles that a command reads: from files, standard input or servers.
#pragma once

#include "base/err.h"
#include "profile/plain.h"

// Reads a profile of any format that ptprof knows (output/parser.h) from a path, or from standard
// input if the source is "-". Code without names is named by the files of this machine, where it
// has them. Fails with RC_IO, RC_FORMAT or RC_LIMIT and a message that names the source; then
// *profile is NULL. The caller frees it.
enum rc profile_input_read(const char *source, struct plain_profile **profile, struct err *err)
    MUST_CHECK;
