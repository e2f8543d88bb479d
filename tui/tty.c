// SPDX-License-Identifier: MIT
#include "tui/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tui/guard.h"

#define GOODBYE_NS (200 * NS_PER_MS) // how long we wait for a terminal to take our last bytes
#define GOODBYE_MOST 512

struct tty {
    FILE *in;
    int out;            // O_NONBLOCK
    struct buf pending; // bytes for the terminal
    size_t sent;        // how many of `pending` have been written
};

// A signal handler restores the terminal from this.
static struct {
    volatile sig_atomic_t armed;
    bool was_given_back;
    pid_t owner; // differs in the sampler, a child that must not restore anything
    int in, out;
    struct termios before;
    char goodbye[GOODBYE_MOST];
    size_t length;
} restore;

static struct guard guard = {-1, 0}; // there is one while the terminal is taken

// --- restoring the terminal, whatever happens ---

static void abandon(void)
{
    if (!restore.armed || restore.owner != getpid())
        return;
    restore.armed = 0;
    for (int tries = 0; tries < 2; tries++) { // the terminal may still be taking a picture
        struct pollfd terminal = {.fd = restore.out, .events = POLLOUT};
        poll(&terminal, 1, GOODBYE_NS / NS_PER_MS);
        if (write(restore.out, restore.goodbye, restore.length) >= 0)
            break;
    }
    tcsetattr(restore.in, TCSANOW, &restore.before);
    guard_excuse(&guard); // restoring twice would overwrite what the shell prints about our end
}

// This runs in the guard when we have been killed.
static void on_killed(void)
{
    restore.owner = getpid();
    abandon();
}

static void on_crash(int number)
{
    abandon();
    raise(number); // SA_RESETHAND: the default action ends us when this returns
}

// The handler has an alternate stack, because a stack that overflowed has no room for it.
static void catch_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    static char stack[16384];
    static bool registered;
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(crashes); i++)
        sigaction(crashes[i], &action, NULL);
    if (!registered)
        atexit(abandon);
    registered = true;
}

static void set_raw(void)
{
    struct termios raw = restore.before;
    cfmakeraw(&raw);
    tcsetattr(restore.in, TCSANOW, &raw);
}

void tty_set_goodbye(struct tty *tty, const char *bytes, size_t length)
{
    restore.in = fileno(tty->in);
    restore.out = tty->out;
    restore.length = length <= GOODBYE_MOST ? length : 0;
    memcpy(restore.goodbye, bytes, restore.length);
}

void tty_take(struct tty *tty)
{
    if (restore.armed) {
        set_raw();
        return;
    }
    if (restore.was_given_back)
        tcgetattr(fileno(tty->in), &restore.before); // others may have changed it meanwhile
    restore.owner = getpid();
    catch_crashes();
    restore.armed = 1;
    guard_dismiss(&guard);
    guard = guard_start(on_killed, (const int[]){restore.in, restore.out}, 2);
    set_raw();
}

// --- bytes ---

void tty_put(struct tty *tty, const char *bytes, size_t length)
{
    buf_append(&tty->pending, bytes, length);
}

bool tty_busy(const struct tty *tty)
{
    return tty->sent < tty->pending.length;
}

bool tty_flush(struct tty *tty)
{
    while (tty_busy(tty)) {
        ssize_t count = write(tty->out, tty->pending.data + tty->sent,
                              tty->pending.length - tty->sent);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        tty->sent += (size_t)count;
    }
    buf_clear(&tty->pending);
    tty->sent = 0;
    return true;
}

void tty_give_back(struct tty *tty)
{
    int64_t end = clock_now() + GOODBYE_NS;
    while (tty_flush(tty) && tty_busy(tty) && clock_now() < end)
        usleep(5 * NS_PER_MS / NS_PER_US);
    buf_clear(&tty->pending);
    tty->sent = 0;
    tcsetattr(restore.in, TCSANOW, &restore.before);
    restore.armed = 0;
    restore.was_given_back = true;
    guard_dismiss(&guard);
}

// --- opening ---

static int open_terminal(int fd, int flags)
{
    char path[256];
    int opened = -1;
    if (isatty(fd) && ttyname_r(fd, path, sizeof path) == 0)
        opened = open(path, flags | O_NOCTTY | O_CLOEXEC);
    return opened >= 0 ? opened : open("/dev/tty", flags | O_NOCTTY | O_CLOEXEC);
}

enum rc tty_open(struct tty **result, struct err *err)
{
    struct tty *tty = xcalloc(1, sizeof *tty);
    int in = open_terminal(STDIN_FILENO, O_RDONLY);
    tty->in = in >= 0 ? fdopen(in, "r") : NULL;
    tty->out = open_terminal(STDOUT_FILENO, O_WRONLY | O_NONBLOCK);
    if (!tty->in || tty->out < 0 || tcgetattr(in, &restore.before) != 0) {
        tty_close(tty);
        return err_set(err, RC_USAGE, "no terminal can be opened");
    }
    *result = tty;
    return RC_OK;
}

void tty_close(struct tty *tty)
{
    if (!tty)
        return;
    cleanup_file(&tty->in);
    cleanup_fd(&tty->out);
    buf_fini(&tty->pending);
    free(tty);
}

FILE *tty_in(const struct tty *tty)
{
    return tty->in;
}

int tty_out(const struct tty *tty)
{
    return tty->out;
}

void tty_size(const struct tty *tty, int *rows, int *cols)
{
    struct winsize size = {0};
    bool known = ioctl(tty->out, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    *rows = known ? size.ws_row : 24;
    *cols = known ? size.ws_col : 80;
}
