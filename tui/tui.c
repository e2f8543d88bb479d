// SPDX-License-Identifier: MIT
// The event loop takes keys, signals and timeouts and shows pictures. The session has a thread of
// its own, so nothing here delays a sample.
#include "tui/tui.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tui/screen.h"
#include "tui/stage.h"

#define DOUBLE_CLICK (400 * NS_PER_MS)
#define COST_SHARE 25 // after a refresh of 1 CPU second the next is 25 s later: at most 4 %

struct tui {
    const struct tui_options *options;
    struct stage stage;
    struct screen *screen;
    int64_t next;      // when the next snapshot is due
    bool dirty;        // the screen does not show the present state of the stage
    struct input last; // last click, to detect double clicks
    int64_t last_at;
    bool ended;
};

// --- signals of the terminal ---

static int wake_fd = -1; // eventfd that the handler writes to
static volatile sig_atomic_t continued;

// Handles SIGWINCH and SIGCONT. A handler wakes the loop whichever thread gets the signal; a
// signalfd would need the signals blocked in all threads.
static void on_signal(int number)
{
    int saved = errno;
    if (number == SIGCONT)
        continued = 1;
    eventfd_write(wake_fd, 1);
    errno = saved;
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
}

static void unwatch_signals(void)
{
    signal(SIGWINCH, SIG_DFL);
    signal(SIGCONT, SIG_DFL);
    cleanup_fd(&wake_fd);
}

// Sampling pauses before we stop, and goes on when the screen is back. SIGCONT alone is not enough:
// in the background we would be stopped again at once.
static void suspend(struct tui *tui)
{
    feed_pause(tui->options->feed, true);
    screen_suspend(tui->screen);
    raise(SIGSTOP);
    screen_resume(tui->screen);
    feed_pause(tui->options->feed, tui->stage.state.paused);
    tui->dirty = true;
}

static void take_signals(struct tui *tui)
{
    struct signalfd_siginfo info;
    while (read(tui->options->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGTSTP)
            suspend(tui);
        else if (info.ssi_signo != SIGUSR1)
            tui->ended = true;
}

static void wake(struct tui *tui)
{
    eventfd_t count;
    if (eventfd_read(wake_fd, &count) == 0 && continued) {
        continued = 0;
        screen_resume(tui->screen);
    }
    screen_resized(tui->screen);
    tui->dirty = true;
}

// --- keys ---

static void tell_double(struct tui *tui, struct input *input)
{
    int64_t now = clock_now();
    if (input->key != INPUT_MOUSE || input->mouse != MOUSE_CLICK)
        return;
    bool same = input->row == tui->last.row && input->col == tui->last.col;
    bool twice = same && now - tui->last_at < DOUBLE_CLICK;
    tui->last = *input;
    tui->last_at = twice ? 0 : now;
    if (twice)
        input->mouse = MOUSE_DOUBLE;
}

static void take_keys(struct tui *tui)
{
    for (;;) {
        struct input input = screen_read(tui->screen);
        if (input.key == INPUT_NONE || tui->ended)
            return;
        tell_double(tui, &input);
        unsigned effects = stage_input(&tui->stage, &input);
        tui->dirty = true;
        if (effects & EFFECT_QUIT)
            tui->ended = true;
        if (effects & EFFECT_SUSPEND)
            suspend(tui);
        if (effects & EFFECT_REDRAW)
            screen_redraw(tui->screen);
    }
}

// --- pictures ---

static void show(struct tui *tui)
{
    int rows, cols;
    screen_size(tui->screen, &rows, &cols);
    stage_draw(&tui->stage, rows, cols);
    screen_show(tui->screen, &tui->stage.picture.canvas);
    tui->dirty = false;
}

// While the terminal takes no bytes, no snapshots are made for it.
static void refresh_when_due(struct tui *tui)
{
    int64_t began = clock_now(), cpu = clock_thread();
    if (screen_busy(tui->screen))
        return;
    if (began >= tui->next) {
        stage_advance(&tui->stage);
        show(tui);
        int64_t cost = clock_thread() - cpu, wait = tui->stage.state.wanted.delay;
        tui->next = began + (wait > cost * COST_SHARE ? wait : cost * COST_SHARE);
        if (feed_is_still(tui->options->feed))
            tui->next = INT64_MAX;
    } else if (tui->dirty) {
        show(tui);
    }
}

// --- the loop ---

enum { POLL_KEYS, POLL_SIGNALS, POLL_WAKE, POLL_FEED, POLL_OUTPUT, POLL_COUNT };

static int64_t timeout_ms(const struct tui *tui)
{
    int64_t left = tui->next - clock_now(), most = tui->stage.state.wanted.delay;
    if (screen_busy(tui->screen))
        return 1000;
    if (tui->next == INT64_MAX)
        return tui->dirty ? 0 : -1;
    left = left < most ? left : most; // the user may have changed the delay
    return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static void step(struct tui *tui)
{
    bool listens = !screen_busy(tui->screen);
    struct pollfd fds[POLL_COUNT] = {
        // Keys are not read before the first snapshot, because what they do depends on the view.
        [POLL_KEYS] = {.fd = screen_input_fd(tui->screen),
                       .events = tui->stage.latest ? POLLIN : 0},
        [POLL_SIGNALS] = {.fd = tui->options->signals, .events = POLLIN},
        [POLL_WAKE] = {.fd = wake_fd, .events = POLLIN},
        [POLL_FEED] = {.fd = listens ? feed_fd(tui->options->feed) : -1, .events = POLLIN},
        [POLL_OUTPUT] = {.fd = screen_busy(tui->screen) ? screen_output_fd(tui->screen) : -1,
                         .events = POLLOUT},
    };
    if (poll(fds, POLL_COUNT, (int)timeout_ms(tui)) < 0)
        return;
    if (fds[POLL_WAKE].revents)
        wake(tui);
    if (fds[POLL_SIGNALS].revents)
        take_signals(tui);
    if (fds[POLL_KEYS].revents & (POLLHUP | POLLERR))
        tui->ended = true;
    else if (fds[POLL_KEYS].revents)
        take_keys(tui);
    if (fds[POLL_FEED].revents)
        tui->next = 0;
    if (fds[POLL_OUTPUT].revents && !screen_flush(tui->screen))
        tui->ended = true;
    if (!tui->ended)
        refresh_when_due(tui);
}

static enum rc run_screen(const struct tui_options *options, struct err *err)
{
    struct tui tui = {.options = options};
    bool color = terminal_color(STDOUT_FILENO, options->color);
    enum scheme scheme = theme_choose(options->scheme, color, getenv("COLORFGBG"));
    struct screen_options look = {.scheme = scheme,
                                  .mouse = !options->no_mouse};
    enum rc rc = screen_open(&look, &tui.screen, err);
    if (rc != RC_OK)
        return rc;
    stage_init(&tui.stage, options, terminal_utf8() && !options->ascii);
    tui.stage.picture.plain = look.scheme == SCHEME_MONO;
    watch_signals();
    while (!tui.ended)
        step(&tui);
    unwatch_signals();
    screen_close(tui.screen);
    stage_fini(&tui.stage);
    return feed_error(options->feed, err);
}

enum rc tui_run(const struct tui_options *options, struct err *err)
{
    return options->script ? script_run(options, err) : run_screen(options, err);
}
