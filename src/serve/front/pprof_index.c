// SPDX-License-Identifier: MIT
#include "serve/front/pprof_index.h"

#include <stdio.h>

#include "base/mem.h"
#include "serve/ask.h"

static const struct {
    const char *name; // in ascending order
    bool by_thread;   // there is one of it for each thread; else how many there are is not known
    const char *text;
} profiles[] = {
    {"block", false, "Where threads blocked, why, for how long and how often, since the first "
                     "request for it or in the seconds that the parameter says"},
    {"cmdline", false, "The arguments of the process"},
    {"goroutine", true, "Where each thread is now, as a goroutine; also called threads"},
    {"heap", false, "Blocks of memory in use, by what they are and by size, counted in the books "
                    "of the allocator; nothing is known of where they were allocated"},
    {"mutex", false, "Waits for locks, of those who waited and of those who held them meanwhile"},
    {"profile", false, "CPU time in the seconds that the parameter says"},
    {"symbol", false, "Names of addresses: symbol?0x401196+0x4011b0"},
    {"threadcreate", true, "Where threads that exist now began, or who started threads in the "
                           "seconds that the parameter says"},
    {"trace", false, "What threads did in the seconds that the parameter says, event by event, "
                     "for go tool trace"},
    {"wall", false, "Time of all threads in the seconds that the parameter says, by what they "
                    "did: running, waiting for a CPU, blocked"},
};

static void put_row(struct buf *out, size_t number, unsigned threads, const char *argument)
{
    const char *name = profiles[number].name;
    AUTO_FREE char *count = xasprintf("%u", threads);
    buf_printf(out, "<tr><td>%s</td><td><a href='%s?debug=1%s'>%s</a></td></tr>\n",
               profiles[number].by_thread ? count : "-", name, argument, name);
}

void pprof_index(struct buf *out, const char *prefix, const char *facts, bool by_argument)
{
    char id[ASK_TARGET_MOST] = "";
    unsigned threads = 0;
    int pid = 0;
    (void)!sscanf(facts, "%d %u %63[-A-Za-z0-9._]", &pid, &threads, id);
    AUTO_FREE char *argument = by_argument ? xasprintf("&amp;target=%s", id) : xstrdup("");
    buf_printf(out, "<html>\n<head>\n<title>%s/ of %s</title>\n</head>\n<body>\n"
                    "%s/ of %s (%d)<br>\n<br>\nTypes of profiles available:\n<table>\n"
                    "<thead><td>Count</td><td>Profile</td></thead>\n",
               prefix, id, prefix, id, pid);
    for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++)
        put_row(out, i, threads, argument);
    buf_printf(out, "</table>\n"
                    "<a href=\"goroutine?debug=2%s\">full dump of the stacks of all threads</a>\n"
                    "<br>\n<p>\nProfile Descriptions:\n<ul>\n", argument);
    for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++)
        buf_printf(out, "<li><div class=profile-name>%s: </div> %s</li>\n", profiles[i].name,
                   profiles[i].text);
    buf_puts(out, "</ul>\n</p>\n</body>\n</html>\n");
}
