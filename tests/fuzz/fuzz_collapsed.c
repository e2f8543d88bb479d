// SPDX-License-Identifier: MIT
// Collapsed stacks.
#include "fuzz.h"
#include "parsed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_parse(bytes, length);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "main;work;sqrt 12\n# a comment\n\nmain;std::vector<int, A<int> >::push_back(int) 3\r\n",
        "a;b;sys_read_[k];vfs_read_[k] 1\na;f_[j] 2.5\na;b;i_[i];j_[i];c 3\nw_[i];x_[w] 4",
        "main;worker 7 150\nmain 3\n;a;; 9\n  a \t 18446744073709551615\n",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
