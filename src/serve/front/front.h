// SPDX-License-Identifier: MIT
// The front is the process that reads HTTP. It has no rights: no capability, no descriptor but its
// sockets and the channel to the collector, few system calls. What it wants to know it asks.
#pragma once

#include "serve/access.h"
#include "serve/listeners.h"
#include "serve/settings.h"

struct front_config { // borrowed
    const struct listeners *listeners;
    const struct serve_settings *settings;
    uint32_t first_id; // before those of its questions, so that they are not those of another front
    const struct access *access;
};

// Serves until the channel is closed. context: struct front_config.
void front_serve(int channel, const void *context);
