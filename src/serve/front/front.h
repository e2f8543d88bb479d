// SPDX-License-Identifier: MIT
// The front is the process that reads HTTP. It has no rights: no capability, no descriptor but its
// sockets and the channel to the collector, few system calls. What it wants to know it asks. The
// one thing that it shares is a page of counts.
#pragma once

#include "serve/access.h"
#include "serve/http_counts.h"
#include "serve/listeners.h"
#include "serve/settings.h"

struct front_config { // borrowed
    const struct listeners *listeners;
    const struct serve_settings *settings;
    uint32_t first_id; // before those of its questions, so that they are not those of another front
    const struct access *access;
    struct http_counts *requests; // where they are counted
};

// Serves until the channel is closed. context: struct front_config.
void front_serve(int channel, const void *context);
