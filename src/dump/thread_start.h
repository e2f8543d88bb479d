// SPDX-License-Identifier: MIT
// The function that a thread started in, by the outermost frames of its stack.
#pragma once

#include "dump/dump.h"

// Returns the frame of the function that the C library called to run the thread, `main` for the
// main thread; of std::thread and Rust's threads the one that these called. NULL: the stack does
// not tell.
const struct dump_frame *thread_start_frame(const struct dump_thread *thread, bool main_thread);

// Returns the line of a frame that names the function: what was inlined into functions of the
// language itself is one of the program.
const struct symbol_line *thread_start_line(const struct dump_frame *frame);
