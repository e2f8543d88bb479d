// SPDX-License-Identifier: MIT
// Hostile names: a function and threads whose names hold what means something to a terminal, to
// folded stacks, to JSON and to HTML.
#include "target.h"

#include <semaphore.h>
#include <sys/prctl.h>

static sem_t named_itself;

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
    sem_post(&named_itself);
    hostile();
    return NULL;
}

int main(void)
{
    sem_init(&named_itself, 0, 0);
    start(named, "\033]0;x\a;a\nb 9", NULL);
    start(named, "\xff\xfe\"<&>\\", NULL);
    prctl(PR_SET_NAME, "c) R 1 (\n;d");
    for (int i = 0; i < 2; i++)
        sem_wait(&named_itself);
    ready();
    for (;;)
        pause();
}
