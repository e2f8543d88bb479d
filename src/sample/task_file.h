// SPDX-License-Identifier: MIT
// Short files of threads, /proc/PID/task/TID/NAME.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// task_fd: /proc/PID/task, open. -1: errno.
int task_file_open(int task_fd, pid_t tid, const char *name);

// Reads an open file from its beginning, as far as it fits. False: it is empty or cannot be read,
// and so is the text; errno.
bool task_file_read(int fd, char *text, size_t size);

// exec_start of a text of "sched": when the thread came onto its CPU, by the clock of that CPU; ns,
// 0: it is not there.
uint64_t task_file_exec_start(const char *text);
