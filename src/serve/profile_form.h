// SPDX-License-Identifier: MIT
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "profile/plain.h"
#include "serve/ask.h"

// Writes the profile that was asked for, in that form: ASK_TEXT as Go's programs do with ?debug=1,
// any other as a compressed file of pprof's. Fails with RC_IO.
enum rc profile_form_write(const struct plain_profile *profile, const struct ask *ask, FILE *out,
                           struct err *err) MUST_CHECK;
