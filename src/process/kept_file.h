// SPDX-License-Identifier: MIT
// Files that are read again and again, some thousands of them, with few descriptors: the one that
// was not used for longest is closed where its name still leads to the same file, and opened again
// when it is needed.
#pragma once

struct kept_file;

// Takes the descriptor of a regular file.
struct kept_file *kept_file_new(int fd);
void kept_file_free(struct kept_file *file);

// Its descriptor, which stays open until kept_file_give. kept_file_take opens the file again if
// need be, for as long as its file system takes for that; kept_file_take_open gives -1 then. -1,
// without a kept_file_give, also when there is another file by its name now, or none.
int kept_file_take(struct kept_file *file);
int kept_file_take_open(struct kept_file *file);
void kept_file_give(struct kept_file *file);
