// SPDX-License-Identifier: MIT
// The flame graph that `ptprof attach --flamegraph FILE` draws when the run is over.
#pragma once

#include "commands/attach_output.h"

// Checks whether it can be drawn and its file be written, before anybody's time is spent. Fails
// with RC_USAGE or RC_IO.
enum rc attach_flame_check(const struct attach_options *options, struct err *err) MUST_CHECK;

// Draws the first of the profiles that were written, if that was asked for. made: [enum
// profile_kind]. Fails with RC_IO.
enum rc attach_flame_write(const struct attach_outputs *outputs,
                           struct plain_profile *const *made, struct err *err) MUST_CHECK;
