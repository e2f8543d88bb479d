// SPDX-License-Identifier: MIT
// Says that Go built it, as programs of Go do, and has none of its runtime.
#include "target.h"

#include <unistd.h>

__attribute__((aligned(16), used)) static const char build_info[64] =
    "\xff Go buildinf:\x08\x02"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\x08go1.99.9";

int main(void)
{
    ready();
    for (;;)
        pause();
}
