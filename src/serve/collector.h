// SPDX-License-Identifier: MIT
// The collector is the process of a server that has rights: it knows the targets, reads their
// figures, and starts the processes that sample them. It reads no HTTP: a child without rights
// (serve/front) does, and asks it for one of a few things by number (serve/ask.h).
#pragma once

#include "base/err.h"
#include "serve/listeners.h"
#include "serve/settings.h"

struct collector_host { // what the program around it does
    // Reads the settings again (SIGHUP); NULL: they cannot be. If that went well, `settle` says
    // whether they are what counts from now on, and the others can go, or the other way round.
    enum rc (*reload)(void *context, struct serve_settings *settings, struct err *err);
    void (*settle)(void *context, bool taken);
    // Is called when requests are answered. NULL: nobody wants to know.
    void (*ready)(void *context, const struct listeners *listeners);
    void *context;
};

// Serves until a signal (INT, TERM) says otherwise. Fails with RC_USAGE, RC_GONE, or RC_FAIL when
// it cannot listen or its front cannot be kept alive.
enum rc collector_run(const struct serve_settings *settings, const struct collector_host *host,
                      struct err *err) MUST_CHECK;
