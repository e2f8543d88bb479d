// SPDX-License-Identifier: MIT
// A program with a variable that Google's tcmalloc has, and nothing else of it.
#include "target.h"

__attribute__((used)) long globals[8] __asm__("_ZN8tcmalloc17tcmalloc_internal10tc_globalsE") = {1};

int main(void)
{
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
}
