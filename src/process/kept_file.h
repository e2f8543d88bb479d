// SPDX-License-Identifier: MIT
// Thousands of files that are read again and again through few descriptors: the least recently used
// file is closed, if its path still leads to the same file, and is opened again when it is needed.
#pragma once

struct kept_file;

// Makes one of fd, the descriptor of a regular file, and owns fd from then on.
struct kept_file *kept_file_new(int fd);

// Has the file opened again by reopen(context), which returns a descriptor or -1, for a process
// that can open no path.
void kept_file_reopen_by(struct kept_file *file, int (*reopen)(void *context), void *context);

// Finds out how many files may be kept open; a process without rights cannot do that later.
void kept_file_prepare(void);

void kept_file_free(struct kept_file *file);

// Returns the file's descriptor, which stays open until kept_file_give. A closed file is opened
// again by kept_file_take, which may block in its file system; kept_file_take_open returns -1
// instead. -1 is also the result when the path leads to another file now, or to none. After -1
// there is no kept_file_give.
int kept_file_take(struct kept_file *file);
int kept_file_take_open(struct kept_file *file);
void kept_file_give(struct kept_file *file);
