// SPDX-License-Identifier: MIT
// Hostile names: a function and threads whose names hold what means something to a terminal, to
// folded stacks, to JSON and to HTML.
#include "target.h"

#include <sys/prctl.h>

// The assembler takes the bytes of a quoted name as they are.
void hostile(void) __asm__("\"evil;\x1b[31m</script> 12\"");

void hostile(void)
{
    for (;;)
        burn();
}

static void *named(void *name)
{
    prctl(PR_SET_NAME, name);
    hostile();
    return NULL;
}

int main(void)
{
    start(named, "\033]0;x\a;a\nb 9", NULL);
    start(named, "\xff\xfe\"<&>\\", NULL);
    prctl(PR_SET_NAME, "c) R 1 (\n;d");
    ready();
    for (;;)
        pause();
}
