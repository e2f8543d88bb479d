// SPDX-License-Identifier: MIT
// For whom a request is, and whose page sent it: names that lead to this machine by somebody else's
// name server, and pages of others, get nothing. Nothing here knows the library that reads HTTP.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_MOST 256 // bytes, with NUL

// Writes the name in a Host field, without port, in small letters. False: it is none.
bool host_name(const char *field, char name[HOST_MOST]);

// Returns whether the name is one of ours: an address, which no page can make a browser believe to
// be somebody else's; localhost; one of `allowed` (with commas between, "*": any; NULL: none).
bool host_is_ours(const char *name, const char *allowed);

// Returns whether a page of this Origin came from this Host. The scheme does not count: before us
// there may be a server that speaks TLS.
bool host_is_origin(const char *field, const char *origin);

// Returns whether a request that a browser says comes from a page of another site (Sec-Fetch-Site,
// Sec-Fetch-Dest; NULL: it does not say) is more than a link that somebody followed.
bool host_is_foreign(const char *site, const char *destination);
