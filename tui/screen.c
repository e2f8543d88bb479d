// SPDX-License-Identifier: MIT
#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <term.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "tui/tty.h"

#define ESCAPE_MS 25

struct screen {
    struct tty *tty;
    FILE *memory; // a memfd that curses writes to
    SCREEN *curses;
    WINDOW *keys; // a pad: reading keys from it draws nothing
    int rows, cols;
    enum scheme scheme;
    cchar_t *line; // a row of the canvas in the format of curses
    size_t line_capacity;
};

// --- what curses wrote ---

static void collect(struct screen *screen, struct buf *out)
{
    int fd = fileno(screen->memory);
    fflush(screen->memory);
    off_t length = lseek(fd, 0, SEEK_CUR);
    if (length <= 0)
        return;
    ssize_t got = pread(fd, buf_reserve(out, (size_t)length), (size_t)length, 0);
    out->length += got > 0 ? (size_t)got : 0;
    if (ftruncate(fd, 0) == 0)
        lseek(fd, 0, SEEK_SET);
}

static void pass_on(struct screen *screen)
{
    AUTO_BUF struct buf bytes = {0};
    collect(screen, &bytes);
    if (bytes.length)
        tty_put(screen->tty, bytes.data, bytes.length);
}

// Returns a terminfo string, NULL if the terminal does not have it.
static const char *capability(const char *name)
{
    const char *value = tigetstr(name);
    return value == (char *)-1 ? NULL : value;
}

static FILE *put_into;

static int put_byte(int byte)
{
    return putc(byte, put_into);
}

// On a terminal without an alternate screen the picture stays, and the shell goes on in its last
// line, so that line is cleared.
static void leave(struct screen *screen)
{
    const char *clear = capability("el");
    endwin();
    put_into = screen->memory;
    if (clear && !capability("rmcup"))
        tputs(clear, 1, put_byte);
}

// --- opening ---

static enum rc open_memory(struct screen *screen, struct err *err)
{
    int memory = memfd_create("ptprof-screen", MFD_CLOEXEC);
    screen->memory = memory >= 0 ? fdopen(memory, "w") : NULL;
    return screen->memory ? RC_OK : err_sys(err, RC_FAIL, errno, "no memory for a screen");
}

// Fails if curses does not know the terminal or the terminal cannot move its cursor.
static enum rc open_curses(struct screen *screen, struct err *err)
{
    const char *term = getenv("TERM");
    AUTO_FREE char *shown = escape_text_dup(term ? term : "");
    screen->curses = term && *term ? newterm(NULL, screen->memory, tty_in(screen->tty)) : NULL;
    if (!screen->curses)
        return err_set(err, RC_USAGE, "the terminal type '%s' (TERM) is not known", shown);
    if (!capability("cup"))
        return err_set(err, RC_USAGE, "a terminal of the type '%s' (TERM) has no cursor to move",
                       shown);
    return RC_OK;
}

static void init_colors(const struct screen *screen)
{
    if (screen->scheme == SCHEME_MONO || !has_colors())
        return;
    start_color();
    use_default_colors();
    for (int role = 0; role < ROLE_COUNT; role++) {
        struct style style = theme_style(screen->scheme, (enum role)role);
        if (COLORS >= 256)
            init_pair((short)(role + 1), style.fg, style.bg);
        else
            init_pair((short)(role + 1), style.fg8, style.bg8);
    }
}

static void init_input(struct screen *screen, bool mouse)
{
    noecho();
    typeahead(-1);
    set_escdelay(ESCAPE_MS);
    screen->keys = newpad(1, 1);
    keypad(screen->keys, TRUE);
    nodelay(screen->keys, TRUE);
    if (mouse) {
        mouseinterval(0);
        mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    }
}

// The bytes that curses sends at its end are what the crash handler and the guard have to send.
static void take_terminal(struct screen *screen)
{
    AUTO_BUF struct buf goodbye = {0};
    curs_set(0); // so that endwin shows the cursor again
    refresh();
    pass_on(screen);
    leave(screen);
    collect(screen, &goodbye);
    tty_set_goodbye(screen->tty, goodbye.data ? goodbye.data : "", goodbye.length);
    tty_take(screen->tty);
}

static void free_screen(struct screen *screen)
{
    if (screen->keys)
        delwin(screen->keys);
    if (screen->curses)
        delscreen(screen->curses);
    cleanup_file(&screen->memory);
    tty_close(screen->tty);
    free(screen->line);
    free(screen);
}

enum rc screen_open(const struct screen_options *options, struct screen **result, struct err *err)
{
    struct screen *screen = xcalloc(1, sizeof *screen);
    screen->scheme = options->scheme;
    enum rc rc = tty_open(&screen->tty, err);
    if (rc == RC_OK)
        rc = open_memory(screen, err);
    if (rc == RC_OK)
        rc = open_curses(screen, err);
    if (rc != RC_OK) {
        free_screen(screen);
        return rc;
    }
    init_colors(screen);
    init_input(screen, options->mouse);
    screen_resized(screen);
    take_terminal(screen);
    *result = screen;
    return RC_OK;
}

void screen_suspend(struct screen *screen)
{
    leave(screen);
    pass_on(screen);
    tty_give_back(screen->tty);
}

void screen_resume(struct screen *screen)
{
    tty_take(screen->tty);
    screen_resized(screen);
    screen_redraw(screen);
}

void screen_close(struct screen *screen)
{
    if (!screen)
        return;
    screen_suspend(screen);
    free_screen(screen);
}

// --- input ---

int screen_input_fd(const struct screen *screen)
{
    return fileno(tty_in(screen->tty));
}

int screen_output_fd(const struct screen *screen)
{
    return tty_out(screen->tty);
}

static struct input read_mouse(void)
{
    MEVENT event;
    struct input input = {.key = INPUT_NONE};
    if (getmouse(&event) != OK)
        return input;
    input = (struct input){.key = INPUT_MOUSE, .row = event.y, .col = event.x};
    if (event.bstate & BUTTON4_PRESSED)
        input.mouse = MOUSE_WHEEL_UP;
    else if (event.bstate & BUTTON5_PRESSED)
        input.mouse = MOUSE_WHEEL_DOWN;
    return input;
}

static int key_of_code(wint_t code)
{
    static const struct {
        wint_t code;
        int key;
    } table[] = {
        {KEY_UP, INPUT_UP},           {KEY_DOWN, INPUT_DOWN},
        {KEY_LEFT, INPUT_LEFT},       {KEY_RIGHT, INPUT_RIGHT},
        {KEY_PPAGE, INPUT_PAGE_UP},   {KEY_NPAGE, INPUT_PAGE_DOWN},
        {KEY_HOME, INPUT_HOME},       {KEY_END, INPUT_END},
        {KEY_A1, INPUT_HOME},         {KEY_C1, INPUT_END},
        {KEY_FIND, INPUT_HOME},       {KEY_SELECT, INPUT_END},
        {KEY_BACKSPACE, INPUT_BACKSPACE}, {KEY_DC, INPUT_DELETE},
        {KEY_BTAB, INPUT_BACK_TAB},   {KEY_ENTER, INPUT_ENTER},
        {KEY_A3, INPUT_PAGE_UP},      {KEY_C3, INPUT_PAGE_DOWN},
        // terminfo of some terminals calls these control characters function keys.
        {KEY_SUSPEND, INPUT_CTRL('Z')}, {KEY_REFRESH, INPUT_CTRL('L')},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (table[i].code == code)
            return table[i].key;
    if (code > KEY_F0 && code <= KEY_F(12))
        return INPUT_F((int)code - KEY_F0);
    return INPUT_NONE;
}

static int key_of_character(wint_t code)
{
    return code == '\n' ? INPUT_ENTER : code == 127 || code == 8 ? INPUT_BACKSPACE : (int)code;
}

struct input screen_read(struct screen *screen)
{
    for (;;) {
        wint_t code;
        int kind = wget_wch(screen->keys, &code);
        if (kind == ERR)
            return (struct input){.key = INPUT_NONE};
        struct input input = {.key = key_of_character(code)};
        if (kind == KEY_CODE_YES && code == KEY_MOUSE)
            input = read_mouse();
        else if (kind == KEY_CODE_YES)
            input.key = key_of_code(code);
        if (input.key != INPUT_NONE)
            return input;
    }
}

// --- output ---

bool screen_resized(struct screen *screen)
{
    int rows, cols;
    tty_size(screen->tty, &rows, &cols);
    if (rows == screen->rows && cols == screen->cols)
        return false;
    resizeterm(rows, cols);
    screen->rows = rows;
    screen->cols = cols;
    screen_redraw(screen);
    return true;
}

void screen_size(const struct screen *screen, int *rows, int *cols)
{
    *rows = screen->rows;
    *cols = screen->cols;
}

void screen_redraw(struct screen *screen)
{
    (void)screen;
    clearok(curscr, TRUE);
}

static attr_t attributes_of(const struct style *style)
{
    static const struct {
        unsigned flag;
        attr_t attribute;
    } table[] = {
        {STYLE_BOLD, A_BOLD},
        {STYLE_DIM, A_DIM},
        {STYLE_REVERSE, A_REVERSE},
        {STYLE_UNDERLINE, A_UNDERLINE},
    };
    attr_t attributes = A_NORMAL;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (style->attributes & table[i].flag)
            attributes |= table[i].attribute;
    return attributes;
}

static void set_character(const struct screen *screen, const struct cell *cell, cchar_t *out)
{
    struct style style = theme_style(screen->scheme, cell->role);
    wchar_t text[CELL_MARKS + 2] = {(wchar_t)cell->code};
    for (size_t i = 0; i < CELL_MARKS; i++)
        text[i + 1] = (wchar_t)cell->marks[i];
    bool colored = screen->scheme != SCHEME_MONO && has_colors();
    setcchar(out, text, attributes_of(&style), colored ? (short)(cell->role + 1) : 0, NULL);
}

static void show_row(struct screen *screen, const struct canvas *canvas, int row)
{
    size_t count = 0;
    for (int col = 0; col < canvas->cols; col++) {
        const struct cell *cell = canvas_cell(canvas, row, col);
        ARRAY_RESERVE(screen->line, count, screen->line_capacity);
        if (cell->code) // curses fills the right half of a wide character itself
            set_character(screen, cell, &screen->line[count++]);
    }
    mvadd_wchnstr(row, 0, screen->line, (int)count);
}

void screen_show(struct screen *screen, const struct canvas *canvas)
{
    if (tty_busy(screen->tty) && tty_flush(screen->tty) && tty_busy(screen->tty))
        return;
    for (int row = 0; row < canvas->rows; row++)
        show_row(screen, canvas, row);
    curs_set(canvas->cursor_row >= 0);
    if (canvas->cursor_row >= 0)
        move(canvas->cursor_row, canvas->cursor_col);
    refresh();
    pass_on(screen);
    tty_flush(screen->tty);
}

bool screen_busy(const struct screen *screen)
{
    return tty_busy(screen->tty);
}

bool screen_flush(struct screen *screen)
{
    return tty_flush(screen->tty);
}
