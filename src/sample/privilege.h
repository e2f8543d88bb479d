// SPDX-License-Identifier: MIT
// What a process that touches targets may still do: what looking at them takes, and nothing else,
// for good.
//
// Of the capabilities it keeps CAP_SYS_PTRACE and, for files below /proc that only their owner may
// open, CAP_DAC_READ_SEARCH. It can gain none by executing something. A filter of system calls lets
// it neither execute nor start processes, open no file to write, send no signal to others, and use
// ptrace only to stop, read and release threads, and to write the result of a system call: there is
// no call left that writes memory of a target. What it may not do fails with EPERM; it is not
// killed for it while it may hold a thread.
#pragma once

#include <stdbool.h>

// To be called once, before the process starts threads, which inherit it. They may raise their
// priority all the same: by their limits where these can be set, else CAP_SYS_NICE stays too.
// Returns false when this kernel has no filters.
bool privilege_reduce(void);

// To be called by each thread once its priority is raised.
void privilege_drop_nice(void);
