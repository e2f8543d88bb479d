// SPDX-License-Identifier: MIT
#pragma once

// This machine's system call of that number ("read"), NULL when the headers that ptprof was built
// with do not know it.
const char *syscall_name(long number);
