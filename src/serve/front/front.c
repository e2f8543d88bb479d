// SPDX-License-Identifier: MIT
#include "serve/front/front.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "reader/sandbox.h"
#include "serve/front/connections.h"
#include "serve/front/exchange.h"
#include "serve/front/login.h"
#include "serve/front/stream.h"
#include "serve/front/waiting.h"

#define PATIENCE_MS 1000       // deadlines are looked at so often
#define IDLE_SECONDS 300u      // that a connection may be idle
// Bytes of each connection for the header of a request and what is made of it: a query of 8 KiB
// with 744 arguments just goes in. The library writes zeros over all of it after each request.
#define MEMORY_MOST (64u << 10)
#define TLS_VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TEXT_MOST (1u << 20)   // bytes of a question's text
#define FILES_MORE 256         // descriptors beside one for a connection and one for its answer;
                               // MHD may take more connections than are let in, which it then ends

static struct {
    const struct front_config *config;
    struct MHD_Daemon *daemons[LISTENERS_MOST];
    size_t count;
    bool accepts_nobody; // it ends with the last answer
} front;

// What it would print nobody could tell from what the collector prints.
static void give_up_streams(void)
{
    AUTO_FD int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && nothing >= 0; fd++)
        dup2(nothing, fd);
}

static void give_up_rights(void)
{
    static const unsigned calls[] = {
        SYS_accept4,  SYS_epoll_ctl, SYS_epoll_wait, SYS_poll,       SYS_restart_syscall,
        SYS_recvfrom, SYS_sendto,    SYS_sendfile,   SYS_write,      SYS_memfd_create,
        SYS_shutdown, SYS_fcntl,     SYS_setsockopt, SYS_getsockopt,
    };
    const struct sandbox_needs needs = {
        .descriptor = -1,
        .memory = front.config->requests,
        .files = (unsigned)front.config->settings->http.connections_most * 2 + FILES_MORE,
        .file_size = TEXT_MOST,
        .cpu_seconds = RLIM_INFINITY,
        .calls = calls,
        .call_count = ARRAY_LENGTH(calls),
    };
    give_up_streams();
    if (!sandbox_enter(&needs))
        _exit(EXIT_FAILURE);
}

// A unix socket is for this machine: it needs no TLS.
static void listen_at(int socket, const struct listener *listener)
{
    void *settings = (void *)front.config->settings;
    const struct access *access = front.config->access;
    bool is_https = access->certificate && !listener->is_unix;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, access->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, access->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_VERSIONS},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (is_https ? MHD_USE_TLS : 0), 0,
        connections_accept, (void *)listener, exchange_take, settings, MHD_OPTION_LISTEN_SOCKET,
        socket, MHD_OPTION_NOTIFY_CONNECTION, connections_notify, listener,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, settings, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_end, settings, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)front.config->settings->http.connections_most + FILES_MORE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MOST, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_SECONDS, MHD_OPTION_ARRAY, is_https ? tls : tls + 3, MHD_OPTION_END);
    if (!daemon)
        _exit(EXIT_FAILURE);
    front.daemons[front.count++] = daemon;
}

static int descriptor_of(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static int patience(void)
{
    int least = PATIENCE_MS;
    for (size_t i = 0; i < front.count; i++) {
        MHD_UNSIGNED_LONG_LONG timeout;
        if (MHD_get_timeout(front.daemons[i], &timeout) == MHD_YES && timeout < (unsigned)least)
            least = (int)timeout;
    }
    return least;
}

// Who has asked is still answered, and the addresses are free for the next one.
static void accept_nobody(void)
{
    front.accepts_nobody = true;
    for (size_t i = 0; i < front.count; i++) {
        MHD_socket listener = MHD_quiesce_daemon(front.daemons[i]);
        if (listener != MHD_INVALID_SOCKET)
            close(listener);
    }
}

static void loop(int channel, int events)
{
    struct pollfd fds[LISTENERS_MOST + 2];
    fds[0] = (struct pollfd){.fd = channel, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = events, .events = POLLIN};
    for (size_t i = 0; i < front.count; i++)
        fds[i + 2] = (struct pollfd){.fd = descriptor_of(front.daemons[i]), .events = POLLIN};
    for (;;) {
        (void)poll(fds, front.count + 2, patience());
        int64_t now = clock_now();
        if (fds[0].revents && !waiting_take_answer())
            accept_nobody();
        connections_look(fds[1].revents, now);
        stream_tick(now);
        for (size_t i = 0; i < front.count; i++)
            MHD_run(front.daemons[i]);
        if (front.accepts_nobody && !exchange_unfinished())
            _exit(EXIT_SUCCESS);
    }
}

void front_serve(int channel, const void *context)
{
    front.config = context;
    tzset(); // reads a file, for the dates of replies
    waiting_begin(channel, front.config->first_id);
    exchange_count_in(front.config->requests);
    login_begin(front.config->access);
    int events = connections_begin(front.config->settings, front.config->access);
    for (size_t i = 0; i < front.config->listeners->count; i++)
        listen_at(front.config->listeners->sockets[i], &front.config->listeners->each[i]);
    give_up_rights();
    loop(channel, events);
}
