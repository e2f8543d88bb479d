// SPDX-License-Identifier: MIT
// A library for `plugin` that is stripped: two functions that lose their names, behind an exported
// routine to which nobody gave a size and which must not lend them its own.
#include "target.h"

__asm__(".text\n"
        ".globl sizeless_probe\n"
        ".type sizeless_probe, @function\n"
        "sizeless_probe: mov $1, %eax\n"
        "ret\n");

static DISTINCT void first_nameless(void)
{
    burn();
    __asm__ volatile(""); // no tail call
}

static DISTINCT void second_nameless(void)
{
    burn();
    __asm__ volatile("");
}

void plugin_work(void);
void plugin_work(void)
{
    for (;;) {
        first_nameless();
        second_nameless();
    }
}
