// SPDX-License-Identifier: MIT
#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "tui/guard.h"

#define ESCAPE_MS 25
#define GOODBYE_NS (200 * NS_PER_MS) // how long a terminal has to take our last bytes
#define RESTORE_MOST 512

struct screen {
    FILE *in;     // the terminal, for keys
    FILE *memory; // where curses writes; a memfd
    int out;      // the terminal, opened by us so that not to block is our own affair
    SCREEN *curses;
    WINDOW *keys; // a pad: reading keys from it draws nothing
    int rows, cols;
    enum scheme scheme;
    struct buf pending; // for the terminal
    size_t sent;        // of pending
    cchar_t *line;      // a row of the canvas as curses wants it
    size_t line_capacity;
};

// What a signal handler needs to give the terminal back.
static struct {
    volatile sig_atomic_t armed;
    pid_t owner; // not the sampler, which is forked from us
    int in, out;
    struct termios before;
    char bytes[RESTORE_MOST];
    size_t length;
} restore;

static int guard = -1; // of tui/guard.h, while the terminal is ours

// --- giving back, whatever happens ---

void screen_abandon(void)
{
    if (!restore.armed || restore.owner != getpid())
        return;
    restore.armed = 0;
    for (int tries = 0; tries < 2; tries++) { // it may still be busy with a picture
        struct pollfd terminal = {.fd = restore.out, .events = POLLOUT};
        poll(&terminal, 1, GOODBYE_NS / NS_PER_MS);
        if (write(restore.out, restore.bytes, restore.length) >= 0)
            break;
    }
    tcsetattr(restore.in, TCSANOW, &restore.before);
}

// In the guard, when we are gone.
static void on_killed(void)
{
    restore.owner = getpid();
    screen_abandon();
}

static void on_crash(int number)
{
    screen_abandon();
    raise(number); // SA_RESETHAND: ends us when this returns
}

// On a stack of its own: a stack that overflowed has no room for a handler.
static void catch_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    static char stack[16384];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(crashes); i++)
        sigaction(crashes[i], &action, NULL);
    static bool registered;
    if (!registered)
        atexit(screen_abandon);
    registered = true;
}

static void set_raw(void)
{
    struct termios raw = restore.before;
    cfmakeraw(&raw);
    tcsetattr(restore.in, TCSANOW, &raw);
}

// The terminal is ours from here on.
static void take_terminal(void)
{
    restore.armed = 1;
    guard_dismiss(&guard);
    guard = guard_start(on_killed, (const int[]){restore.in, restore.out}, 2);
    set_raw();
}

// --- bytes to the terminal ---

// Takes what curses wrote.
static void collect(struct screen *screen)
{
    int fd = fileno(screen->memory);
    off_t length = lseek(fd, 0, SEEK_CUR);
    if (length <= 0)
        return;
    char *room = buf_reserve(&screen->pending, (size_t)length);
    ssize_t got = pread(fd, room, (size_t)length, 0);
    screen->pending.length += got > 0 ? (size_t)got : 0;
    if (ftruncate(fd, 0) == 0)
        lseek(fd, 0, SEEK_SET);
}

bool screen_busy(const struct screen *screen)
{
    return screen->sent < screen->pending.length;
}

bool screen_flush(struct screen *screen)
{
    while (screen_busy(screen)) {
        ssize_t count = write(screen->out, screen->pending.data + screen->sent,
                              screen->pending.length - screen->sent);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        screen->sent += (size_t)count;
    }
    buf_clear(&screen->pending);
    screen->sent = 0;
    return true;
}

// Passes on the bytes with which the terminal becomes its old self; waits, but not for ever.
static void flush_or_give_up(struct screen *screen)
{
    int64_t end = clock_now() + GOODBYE_NS;
    while (screen_flush(screen) && screen_busy(screen) && clock_now() < end)
        usleep(5 * NS_PER_MS / NS_PER_US);
    buf_clear(&screen->pending);
    screen->sent = 0;
}

// --- opening ---

// Its own description of the terminal: O_NONBLOCK on the inherited one would be the shell's too.
static int open_terminal(int fd, int flags)
{
    char path[256];
    int opened = -1;
    if (isatty(fd) && ttyname_r(fd, path, sizeof path) == 0)
        opened = open(path, flags | O_NOCTTY | O_CLOEXEC);
    return opened >= 0 ? opened : open("/dev/tty", flags | O_NOCTTY | O_CLOEXEC);
}

static enum rc open_files(struct screen *screen, struct err *err)
{
    int in = open_terminal(STDIN_FILENO, O_RDONLY);
    screen->in = in >= 0 ? fdopen(in, "r") : NULL;
    screen->out = open_terminal(STDOUT_FILENO, O_WRONLY | O_NONBLOCK);
    if (!screen->in || screen->out < 0 || tcgetattr(in, &restore.before) != 0)
        return err_set(err, RC_USAGE, "no terminal can be opened");
    int memory = memfd_create("ptprof-screen", MFD_CLOEXEC);
    screen->memory = memory >= 0 ? fdopen(memory, "w") : NULL;
    if (!screen->memory)
        return err_sys(err, RC_FAIL, errno, "no memory for a screen");
    return RC_OK;
}

// A terminal that curses knows and that can put its cursor anywhere.
static enum rc open_curses(struct screen *screen, struct err *err)
{
    const char *term = getenv("TERM");
    AUTO_FREE char *shown = escape_text_dup(term ? term : "");
    screen->curses = term && *term ? newterm(NULL, screen->memory, screen->in) : NULL;
    if (!screen->curses)
        return err_set(err, RC_USAGE, "the terminal type '%s' (TERM) is not known", shown);
    const char *address = tigetstr("cup");
    if (!address || address == (char *)-1)
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

// What curses itself sends at the end is what a signal handler has to send.
static void arm(struct screen *screen)
{
    AUTO_BUF struct buf so_far = screen->pending;
    screen->pending = (struct buf){0};
    curs_set(0); // so that the end shows it again
    refresh();
    collect(screen);
    buf_append(&so_far, screen->pending.data, screen->pending.length);
    buf_clear(&screen->pending);
    endwin();
    collect(screen);
    restore.length = screen->pending.length < RESTORE_MOST ? screen->pending.length : 0;
    if (restore.length)
        memcpy(restore.bytes, screen->pending.data, restore.length);
    buf_clear(&screen->pending);
    buf_append(&screen->pending, so_far.data, so_far.length);
    restore.in = fileno(screen->in);
    restore.out = screen->out;
    restore.owner = getpid();
    catch_crashes();
    take_terminal();
}

static void free_screen(struct screen *screen)
{
    if (screen->keys)
        delwin(screen->keys);
    if (screen->curses)
        delscreen(screen->curses);
    cleanup_file(&screen->in);
    cleanup_file(&screen->memory);
    cleanup_fd(&screen->out);
    buf_fini(&screen->pending);
    free(screen->line);
    free(screen);
}

enum rc screen_open(const struct screen_options *options, struct screen **result, struct err *err)
{
    struct screen *screen = xcalloc(1, sizeof *screen);
    screen->out = -1;
    screen->scheme = options->scheme;
    enum rc rc = open_files(screen, err);
    if (rc == RC_OK)
        rc = open_curses(screen, err);
    if (rc != RC_OK) {
        free_screen(screen);
        return rc;
    }
    init_colors(screen);
    init_input(screen, options->mouse);
    screen_resized(screen);
    arm(screen);
    *result = screen;
    return RC_OK;
}

void screen_suspend(struct screen *screen)
{
    endwin();
    collect(screen);
    flush_or_give_up(screen);
    tcsetattr(restore.in, TCSANOW, &restore.before);
    restore.armed = 0;
    guard_dismiss(&guard);
}

void screen_resume(struct screen *screen)
{
    if (restore.armed) {
        set_raw(); // continued without having given it back: SIGSTOP
    } else {
        tcgetattr(restore.in, &restore.before); // somebody may have changed it meanwhile
        take_terminal();
    }
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
    return fileno(screen->in);
}

int screen_output_fd(const struct screen *screen)
{
    return screen->out;
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
    struct winsize size = {0};
    int rows = 24, cols = 80;
    if (ioctl(screen->out, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        rows = size.ws_row, cols = size.ws_col;
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
        if (cell->code) // curses gives a wide character its second half itself
            set_character(screen, cell, &screen->line[count++]);
    }
    mvadd_wchnstr(row, 0, screen->line, (int)count);
}

void screen_show(struct screen *screen, const struct canvas *canvas)
{
    if (screen_busy(screen) && screen_flush(screen) && screen_busy(screen))
        return;
    for (int row = 0; row < canvas->rows; row++)
        show_row(screen, canvas, row);
    curs_set(canvas->cursor_row >= 0);
    if (canvas->cursor_row >= 0)
        move(canvas->cursor_row, canvas->cursor_col);
    refresh();
    collect(screen);
    screen_flush(screen);
}
