// SPDX-License-Identifier: MIT
// What a sampler or a census does when the main process dies: nothing of ours may outlive that for
// long, but a thread that was asked to stop is to be seen stopping first. If the sampler were just
// killed, the system call that the thread is about to sleep in would fail, and nobody would repair
// it.
#pragma once

#include <stdint.h>

#include "sample/control.h"

// From here on the death of the thread that forked this process sets control->stop; where that
// cannot be set up, it kills this process as before. To be called once.
void orphan_prepare(struct control *control);

// Unless this is called again within two seconds of `next` (CLOCK_MONOTONIC ns), the process is
// killed: it hangs or was stopped, and there may be no watchdog any more.
void orphan_promise(int64_t next);
