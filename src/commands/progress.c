// SPDX-License-Identifier: MIT
#include "commands/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/figures.h"
#include "base/terminal.h"

static void show_bar(struct buf *line, double done)
{
    enum { WIDTH = 24 };
    int full = (int)(done * WIDTH);
    buf_putc(line, '[');
    for (int i = 0; i < WIDTH; i++)
        buf_putc(line, i < full ? '#' : '.');
    buf_puts(line, "] ");
}

void progress_line(int64_t elapsed, int64_t duration, const char *rest)
{
    AUTO_BUF struct buf line = {0};
    char now[FIGURES_MOST], whole[FIGURES_MOST];
    if (duration)
        show_bar(&line, elapsed < duration ? (double)elapsed / (double)duration : 1);
    buf_puts(&line, figures_duration(elapsed, now));
    if (duration)
        buf_printf(&line, " / %s", figures_duration(duration, whole));
    buf_printf(&line, "   %s", rest);
    fprintf(stderr, "\r\033[K%.*s", (int)terminal_width(STDERR_FILENO) - 1, line.data);
    fflush(stderr);
}

void progress_show(const struct run *run, int64_t elapsed, int64_t duration)
{
    AUTO_BUF struct buf rest = {0};
    buf_printf(&rest, "%" PRIu64 " samples   %" PRIu64 " threads   late %.1f%%   held %.2f%%",
               run->counts[COUNTER_SAMPLES], run->counts[COUNTER_THREADS_SEEN],
               figures_percent(run->counts[COUNTER_LATE], run->counts[COUNTER_ROUNDS]),
               100 * run->held_share);
    progress_line(elapsed, duration, rest.data);
}

void progress_clear(void)
{
    fputs("\r\033[K", stderr);
}
