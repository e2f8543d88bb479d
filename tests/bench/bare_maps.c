// SPDX-License-Identifier: MIT
// bare_maps PID [smaps]: reads the maps (or smaps) of a process to their end, looks at nothing in
// them and prints how much CPU time that took, ns. What knowing its mappings costs at least.
#include "target.h"

static char text[64 << 10];

int main(int argc, char **argv)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", argc > 1 ? argv[1] : "self",
             argc > 2 ? argv[2] : "maps");
    int64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    while (read(fd, text, sizeof text) > 0)
        ;
    close(fd);
    printf("%lld\n", (long long)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - began));
}
