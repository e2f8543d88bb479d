// SPDX-License-Identifier: MIT
#pragma once

// Returns the name of the x86-64 system call with that number ("read"), or NULL when the headers
// that ptprof was built with do not have it.
const char *syscall_name(int number);
