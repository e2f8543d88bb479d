// SPDX-License-Identifier: MIT
// Spins calling a function of libc that is so small that many samples fall into the PLT entry
// (a stub without a frame, whose unwind rule depends on the pc inside it).
#include "target.h"

#include <ctype.h>

static volatile int sink;

static void calls(void)
{
    for (unsigned i = 0;; i++)
        sink += (toupper)((int)(i & 127));
}

int main(void)
{
    ready();
    calls();
}
