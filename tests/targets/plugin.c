// SPDX-License-Identifier: MIT
// plugin LIBRARY: works in a shared library that was loaded by path, so that tests can do with its
// file what they like meanwhile.
#include <dlfcn.h>

#include "target.h"

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void (*work)(void) = library ? (void (*)(void))dlsym(library, "plugin_work") : NULL;
    if (!work) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    ready();
    work();
}
