// SPDX-License-Identifier: MIT
// Files may say which frames nobody wants to see, such as those of an allocator in a heap profile:
// drop_frames and keep_frames of proto/profile.proto.
#pragma once

#include "profile/plain.h"

// Makes a profile without the functions that match drop_frames and not keep_frames, and without
// all that they call. As in pprof, what stands nearer to the root than the first other function
// stays, so that no stack is empty. *pruned is NULL where nothing is to be done. RC_FORMAT when an
// expression cannot be understood. The caller frees the result.
enum rc plain_prune(const struct plain_profile *profile, struct plain_profile **pruned,
                    struct err *err) MUST_CHECK;
