// SPDX-License-Identifier: MIT
#include "serve/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"

#define BOUNDED_BURST 20 // lines at once
#define BOUNDED_NS (NS_PER_S / 2ll) // from one to the next in the long run

// systemd names the socket that it gave for standard error.
static bool is_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat stat;
    return named && sscanf(named, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

static void put_head(struct buf *line, enum log_level level)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[32];
    if (is_journal()) {
        buf_printf(line, "<%d>", level);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    buf_printf(line, "%s ptprof: ", text);
}

// One write, so that lines of several processes do not mix. Nobody hears of a log that fails.
static void put(enum log_level level, const char *text)
{
    AUTO_BUF struct buf line = {0};
    put_head(&line, level);
    escape_text(&line, text);
    buf_putc(&line, '\n');
    ssize_t wrote = write(STDERR_FILENO, line.data, line.length);
    (void)wrote;
}

void log_line(enum log_level level, const char *format, ...)
{
    char text[sizeof(struct err)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(level, text);
}

void log_bounded(enum log_level level, const char *text)
{
    static int64_t paid; // up to where lines have used up the time
    static unsigned long left_out;
    int64_t now = clock_now();
    if (paid < now - BOUNDED_BURST * BOUNDED_NS)
        paid = now - BOUNDED_BURST * BOUNDED_NS;
    if (paid + BOUNDED_NS > now) {
        left_out++;
        return;
    }
    paid += BOUNDED_NS;
    if (left_out)
        log_line(level, "%lu lines of the same kind were left out", left_out);
    left_out = 0;
    put(level, text);
}
