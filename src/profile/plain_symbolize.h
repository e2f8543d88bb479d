// SPDX-License-Identifier: MIT
// Names for a profile that a file told: many hold addresses only, and whoever reads them has the
// programs.
#pragma once

#include <stddef.h>

#include "profile/plain.h"

// Gives lines to the locations that have none and lie in a file of this machine, unless the mapping
// says that somebody looked its names up. Files are looked for as google/pprof does: below the
// directories of PPROF_BINARY_PATH ($HOME/pprof/binaries), and at the path of the mapping. Where a
// mapping has a build id, the file has the same one. Files are read by processes without rights.
// Returns how many locations got a name; the others stay as they are.
size_t plain_symbolize(struct plain_profile *profile);
