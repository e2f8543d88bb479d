// SPDX-License-Identifier: MIT
// The collector is the process of a server that has rights: it knows the targets, reads their
// figures, and starts the processes that sample them. It reads no HTTP: a child without rights
// (serve/front) does, and asks it for one of a few things by number (serve/ask.h).
#pragma once

#include "base/err.h"
#include "serve/settings.h"

// Serves until a signal (INT, TERM) says otherwise. Fails with RC_USAGE, RC_GONE, or RC_FAIL when
// it cannot listen or its front cannot be kept alive.
enum rc collector_run(const struct serve_settings *settings, struct err *err) MUST_CHECK;
