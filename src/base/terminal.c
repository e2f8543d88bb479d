// SPDX-License-Identifier: MIT
#include "base/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLEAR "\033[H\033[J"

const char *const color_mode_names[] = {
    [COLOR_AUTO] = "auto",
    [COLOR_ALWAYS] = "always",
    [COLOR_NEVER] = "never",
    NULL,
};

bool terminal_is(int fd)
{
    return isatty(fd);
}

// Returns what PTPROF_COLOR says. A value that is no colour mode is ignored.
static enum color_mode mode_of_environment(void)
{
    const char *text = getenv("PTPROF_COLOR");
    for (int i = 0; text && color_mode_names[i]; i++)
        if (strcmp(text, color_mode_names[i]) == 0)
            return (enum color_mode)i;
    return COLOR_AUTO;
}

bool terminal_color_of(bool is_terminal, enum color_mode mode)
{
    if (mode == COLOR_AUTO)
        mode = mode_of_environment();
    if (mode != COLOR_AUTO)
        return mode == COLOR_ALWAYS;
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    return is_terminal && term && *term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

bool terminal_color(int fd, enum color_mode mode)
{
    return terminal_color_of(terminal_is(fd), mode);
}

unsigned terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;
    return width && width <= 10000 ? (unsigned)width : 80;
}

unsigned terminal_height(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

void terminal_put_screen(int fd, const struct buf *text, struct buf *out)
{
    unsigned width = terminal_width(fd), height = terminal_height(fd), column = 0, line = 1;
    buf_puts(out, CLEAR);
    for (const char *at = text->data; *at && (line < height || !height); at++) {
        bool follows = (*at & 0xc0) == 0x80; // in UTF-8, on the byte before
        column = *at == '\n' ? 0 : column + !follows;
        line += *at == '\n';
        if (column <= width)
            buf_putc(out, *at);
    }
}

bool terminal_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
