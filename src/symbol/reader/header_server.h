// SPDX-License-Identifier: MIT
// What the process does that reads ELF headers and tables of variables.
#pragma once

void header_server_run(int channel) __attribute__((noreturn));
